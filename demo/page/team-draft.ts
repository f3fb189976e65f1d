/** A team in the making. */
import type { PagePlayer } from './page-match.ts';

export interface TeamDraft {
  players: ReadonlySet<string>;
  captain: string | null;
  vice: string | null;
}

const eleven = 11;

export function emptyTeam(): TeamDraft {
  return { players: new Set(), captain: null, vice: null };
}

export type Change = 'pick' | 'drop' | 'captain' | 'vice';

/** One who is dropped leads no more; one who leads in one way does not in the other. */
export function changed({ players, captain, vice }: TeamDraft, player: string, change: Change): TeamDraft {
  const unless = (leader: string | null): string | null => (leader === player ? null : leader);
  switch (change) {
    case 'pick':
      return { players: new Set([...players, player]), captain, vice };
    case 'drop':
      return {
        players: new Set([...players].filter((one) => one !== player)),
        captain: unless(captain),
        vice: unless(vice),
      };
    case 'captain':
      return { players, captain: player, vice: unless(vice) };
    case 'vice':
      return { players, captain: unless(captain), vice: player };
    default:
      return change satisfies never;
  }
}

/** What it still lacks, in words; null: nothing. */
export function lackOf({ players, captain, vice }: TeamDraft): string | null {
  const missing = eleven - players.size;
  if (missing > 0) return `Pick ${missing} more`;
  if (missing < 0) return `Drop ${-missing}`;
  if (captain === null && vice === null) return 'Choose a captain and a vice-captain';
  if (captain === null) return 'Choose a captain';
  return vice === null ? 'Choose a vice-captain' : null;
}

/** Eleven different ones, any as likely as another. */
export function randomTeam(players: readonly PagePlayer[], random: () => number): TeamDraft {
  const left = players.map(({ id }) => id);
  const chosen: string[] = [];
  while (chosen.length < eleven && left.length > 0) {
    const at = Math.floor(random() * left.length);
    chosen.push(...left.splice(at, 1));
  }
  return { players: new Set(chosen), captain: chosen[0] ?? null, vice: chosen[1] ?? null };
}

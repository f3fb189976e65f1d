/** The painted board: innings, who is in, the over, the last balls. */
import { button, byId, element, unseen, write } from '../element.ts';
import {
  type BallMark,
  type BatterLine,
  ballsPerInnings,
  type InningsScore,
  type MatchStory,
  oversText,
  resultOf,
  storyAt,
} from '../match-story.ts';
import { movesLess } from '../motion.ts';
import type { PageMatch } from '../page-match.ts';

export interface ScoreboardModel {
  /** Index of the last ball; -1: before the first. */
  ball: number;
  final: boolean;
  /** Title of the match that can be played next; null: none. */
  next: string | null;
}
export interface ScoreboardView {
  show(model: ScoreboardModel): void;
}

export function createScoreboardView(match: PageMatch, playNext: () => void): ScoreboardView {
  const state = byId('match-state');
  const nextButton = button('Play the next one', { class: 'button on-board', hidden: true }, playNext);
  byId('match-heading').append(nextButton);
  write(byId('match-title'), match.title);
  write(byId('match-teams'), match.teams.map(({ name }) => name).join(' v '));
  const innings = [0, 1].map((place) => createInnings(match, place));
  byId('innings').replaceChildren(...innings.map(({ root }) => root));
  let shown = '';
  return {
    show: ({ ball, final, next }) => {
      const key = `${ball} ${final} ${next}`;
      if (key === shown) return;
      shown = key;
      const story = storyAt(match, ball);
      write(state, stateOf(match, story, final));
      for (const { show } of innings) show(story, final);
      showCrease(story);
      showOver(story);
      showLast(story);
      nextButton.hidden = next === null;
      if (next !== null) write(nextButton, `Play the ${next}`);
    },
  };
}

function stateOf(match: PageMatch, story: MatchStory, final: boolean): string {
  if (final) return resultOf(match);
  const chase = story.innings[1];
  if (story.index < 0) return 'The first ball is about to be bowled';
  if (chase === undefined || story.target === null) return 'First innings';
  const needed = story.target - chase.runs;
  const ballsLeft = ballsPerInnings - chase.legalBalls;
  const team = match.teams[chase.team]?.short ?? '';
  if (needed <= 0 || ballsLeft <= 0) return 'The last ball has been bowled';
  return `${team} need ${needed} from ${ballsLeft} ${ballsLeft === 1 ? 'ball' : 'balls'}`;
}

/** One side's line: its name, runs and wickets on number plates, overs. */
function createInnings(match: PageMatch, place: number) {
  const first = match.balls[0]?.batting ?? 0;
  const team = match.teams[place === 0 ? first : 1 - first];
  const plates = element('span', { class: 'plates', 'aria-hidden': 'true' });
  const spoken = unseen('');
  const overs = element('span', { class: 'overs' });
  const root = element(
    'div',
    { class: 'innings' },
    element('abbr', { class: 'side', title: team?.name ?? '' }, team?.short ?? ''),
    plates,
    spoken,
    overs,
  );
  const show = (story: MatchStory, final: boolean): void => {
    const score = story.innings[place];
    const isIn = !final && place === story.innings.length - 1;
    root.classList.toggle('batting', isIn || (final && place === 0) || (place === 0 && story.index < 0));
    writePlates(plates, score === undefined ? '–' : scoreText(score));
    write(spoken, score === undefined ? 'yet to bat' : `${score.runs} for ${score.wickets}`);
    overs.replaceChildren(...oversOf(score, place).map((line) => element('span', {}, line)));
  };
  return { root, show };
}

function scoreText(score: InningsScore): string {
  return score.wickets >= 10 ? String(score.runs) : `${score.runs}/${score.wickets}`;
}

/** Overs, and runs an over. */
function oversOf(score: InningsScore | undefined, place: number): string[] {
  if (score === undefined) return place === 1 ? ['yet to bat'] : [];
  const rate = score.legalBalls === 0 ? 0 : (6 * score.runs) / score.legalBalls;
  return [`${oversText(score.legalBalls)} overs`, `${rate.toFixed(2)} an over`];
}

/** A plate a character; a plate that changes is turned over. */
function writePlates(into: HTMLElement, text: string): void {
  while (into.children.length > text.length) into.lastElementChild?.remove();
  while (into.children.length < text.length) into.append(element('span', { class: 'plate' }));
  [...text].forEach((character, place) => {
    const plate = into.children[place] as HTMLElement;
    if (plate.textContent === character) return;
    const turns = plate.textContent !== '' && !movesLess() && !document.hidden;
    plate.textContent = character;
    plate.classList.toggle('slash', character === '/');
    if (turns) {
      plate.animate([{ transform: 'rotateX(80deg)' }, { transform: 'none' }], {
        duration: 260,
        easing: 'ease-out',
      });
    }
  });
}

function showCrease({ batters, bowler }: MatchStory): void {
  const rows: Node[] = batters.map(batterRow);
  if (bowler !== null) {
    const figures = `${bowler.wickets}/${bowler.runs}`;
    const overs = `(${oversText(bowler.legalBalls)})`;
    rows.push(row('bowler', bowler.name, figures, overs, 'bowling'));
  }
  byId('crease').replaceChildren(...rows);
}

function batterRow({ name, runs, balls, onStrike, out }: BatterLine): Node {
  const kind = out === null ? (onStrike ? 'batter striking' : 'batter') : 'batter out';
  return row(kind, name, String(runs), `(${balls})`, out ?? (onStrike ? 'on strike' : 'not out'));
}

function row(kind: string, name: string, figure: string, aside: string, note: string): Node {
  return element(
    'li',
    { class: kind },
    element('span', { class: 'name' }, name),
    element('span', { class: 'note' }, note),
    element('span', { class: 'figure' }, figure),
    element('span', { class: 'aside' }, aside),
  );
}

function showOver({ over }: MatchStory): void {
  const list = byId('over');
  const known = new Map([...list.children].map((chip) => [(chip as HTMLElement).dataset['label'], chip]));
  list.replaceChildren(...over.map((ball) => known.get(ball.label) ?? chip(ball)));
}

function chip({ label, mark, kind }: BallMark): HTMLElement {
  return element('li', { class: `ball ${kind}`, 'data-label': label }, mark === '•' ? dot() : mark);
}

function dot(): HTMLElement {
  return element('span', {}, element('span', { 'aria-hidden': 'true' }, '•'), unseen('no run'));
}

function showLast({ last }: MatchStory): void {
  const list = byId('last-balls');
  const known = new Map([...list.children].map((item) => [(item as HTMLElement).dataset['label'], item]));
  list.replaceChildren(
    ...last.map((ball) => {
      const item = known.get(ball.label);
      if (item !== undefined) return item;
      return element(
        'li',
        { class: ball.kind, 'data-label': ball.label },
        element('span', { class: 'at' }, ball.at),
        ball.who === '' ? null : element('span', { class: 'who' }, ball.who),
        element('span', { class: 'what' }, ball.what),
      );
    }),
  );
}

import { readFileSync } from 'node:fs';
import { systemClock } from '../../channels/clock.ts';
import { readScoringTable } from '../../demo/bundled.ts';
import { parseMatchFile } from '../../demo/match-file.ts';
import { createReplay } from '../../demo/replay.ts';
import { replayInto, replaySpeedMax } from '../../demo/replay-into.ts';
import type { ContestEvent } from '../../proto/records.ts';
import { ConfigError } from '../options.ts';
import { CommandError } from './command-error.ts';
import { idProblems } from './flag-checks.ts';

interface ReplayFlags {
  url: string;
  apiKey?: string;
  match: string;
  speed: string;
  final: boolean;
}

/** Posts a match file into a gateway, delivery by delivery; prints a line of JSON per delivery. */
export async function replay(file: string, flags: ReplayFlags): Promise<void> {
  const apiKey = flags.apiKey ?? process.env['RANKCAST_API_KEY'] ?? '';
  const speed = Number(flags.speed);
  const problems: string[] = [];
  if (apiKey === '') problems.push('no API key: give --api-key or RANKCAST_API_KEY');
  if (!(speed >= 0 && speed <= replaySpeedMax)) {
    problems.push(
      `--speed: "${flags.speed}" is not a number of deliveries a second from 0 to ${replaySpeedMax}`,
    );
  }
  problems.push(...idProblems('--match', flags.match));
  if (!URL.canParse(flags.url)) problems.push(`--url: ${JSON.stringify(flags.url)} is not a URL`);
  if (problems.length > 0) throw new ConfigError(problems);

  const match = createReplay(parseMatchFile(read(file)), readScoringTable(), flags.match);
  const stop = new AbortController();
  process.once('SIGINT', () => stop.abort());
  process.once('SIGTERM', () => stop.abort());
  let version = 0;
  await replayInto({
    replay: match,
    clock: systemClock,
    speed,
    final: flags.final,
    signal: stop.signal,
    post: async (records) => {
      version = await post(flags.url, apiKey, records);
    },
    onDelivery: (delivery, label) => {
      process.stdout.write(
        `${JSON.stringify({ delivery: delivery + 1, of: match.deliveries, label, version })}\n`,
      );
    },
  });
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new ConfigError([`the match file cannot be read: ${(error as Error).message}`]);
  }
}

/** Posts records; the version that the last of them has. */
async function post(url: string, apiKey: string, records: readonly ContestEvent[]): Promise<number> {
  let response: Response;
  try {
    response = await fetch(new URL('/v1/ingest/contest-events', url), {
      method: 'POST',
      headers: { authorization: `Bearer ${apiKey}`, 'content-type': 'application/x-ndjson' },
      body: records.map((record) => JSON.stringify(record)).join('\n'),
    });
  } catch (error) {
    const cause = (error as Error).cause as Error | undefined;
    throw new CommandError(
      'unreachable',
      `${url} cannot be reached: ${cause?.message ?? (error as Error).message}`,
    );
  }
  const answer = (await response.json()) as {
    error?: { code: string; message: string };
    versions?: { version: number }[];
    refused?: { line: number; code: string; message: string }[];
  };
  if (answer.error !== undefined) {
    throw new CommandError(
      'failed',
      `${url} refused the records: ${answer.error.code}: ${answer.error.message}`,
    );
  }
  const refused = answer.refused?.[0];
  if (refused !== undefined) {
    throw new CommandError(
      'failed',
      `record ${refused.line} was refused: ${refused.code}: ${refused.message}`,
    );
  }
  return answer.versions?.at(-1)?.version ?? 0;
}

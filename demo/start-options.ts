/** Flags of `npm start`. */
import { parseArgs } from 'node:util';
import { replaySpeedMax, replaySpeedMin } from './replay-into.ts';

export interface StartOptions {
  host: string;
  port: number;
  /** Deliveries a second; 0: as fast as they are taken. */
  speed: number;
  /** Forgets former runs: the demo's folder is emptied. */
  fresh: boolean;
  /** Folder of secrets, progress, log and the gateway's data. */
  folder: string;
  /** Entries in the big contest. */
  teams: number;
  smallContests: number;
  /** Follows a second, along a real graph; 0: none. */
  fans: number;
  /** The workers run as processes of their own, on real servers; only an edge is started. */
  workersApart: boolean;
}
export const startDefaults: StartOptions = {
  /** A demo with secrets on the screen is for this machine only, unless told otherwise. */
  host: '127.0.0.1',
  port: 8080,
  /** The final in four minutes. */
  speed: 1,
  fresh: false,
  folder: '.rankcast',
  teams: 100_000,
  smallContests: 300,
  fans: 2,
  workersApart: false,
};

export const startHelp = `npm start -- [flags]: a gateway with a real cricket final replayed into it

  --port N            port of sockets and HTTP (${startDefaults.port}; 0: any free one)
  --host ADDRESS      address to listen on (${startDefaults.host})
  --speed N           deliveries a second (${startDefaults.speed}; 0: as fast as it goes)
  --fresh             forget former runs
  --folder PATH       where secrets, progress and data are kept (${startDefaults.folder})
  --teams N           teams in the big contest (${startDefaults.teams})
  --small-contests N  contests of a few hundred teams at most (${startDefaults.smallContests})
  --fans N            follows a second (${startDefaults.fans}; 0: none)
  --workers-apart     only an edge: the workers run elsewhere, on real servers (npm run start:real)
`;

/** `null`: help was asked for. Throws a sentence that names every wrong flag. */
export function parseStartFlags(args: readonly string[]): StartOptions | null {
  const { values } = parseArgs({
    args: [...args],
    options: {
      host: { type: 'string' },
      port: { type: 'string' },
      speed: { type: 'string' },
      fresh: { type: 'boolean' },
      folder: { type: 'string' },
      teams: { type: 'string' },
      'small-contests': { type: 'string' },
      fans: { type: 'string' },
      'workers-apart': { type: 'boolean' },
      help: { type: 'boolean' },
    },
  });
  if (values.help) return null;
  const problems: string[] = [];
  const number = (flag: string, text: string | undefined, fallback: number, check: NumberCheck): number => {
    if (text === undefined) return fallback;
    const value = text.trim() === '' ? Number.NaN : Number(text);
    if (check.holds(value)) return value;
    problems.push(`--${flag}: ${JSON.stringify(text)} is not ${check.about}`);
    return fallback;
  };
  const options: StartOptions = {
    host: values.host ?? startDefaults.host,
    port: number('port', values.port, startDefaults.port, whole(0, 65_535)),
    speed: number('speed', values.speed, startDefaults.speed, {
      about: `0 or a number from 1/60 to ${replaySpeedMax}`,
      holds: (value) => value === 0 || (value >= replaySpeedMin && value <= replaySpeedMax),
    }),
    fresh: values.fresh ?? false,
    folder: values.folder ?? startDefaults.folder,
    teams: number('teams', values.teams, startDefaults.teams, whole(1, 1_000_000)),
    smallContests: number(
      'small-contests',
      values['small-contests'],
      startDefaults.smallContests,
      whole(0, 10_000),
    ),
    fans: number('fans', values.fans, startDefaults.fans, {
      about: 'a number from 0 to 50',
      holds: (value) => value >= 0 && value <= 50,
    }),
    workersApart: values['workers-apart'] ?? false,
  };
  if (problems.length > 0) throw new RangeError(problems.join('\n'));
  return options;
}

interface NumberCheck {
  about: string;
  holds(value: number): boolean;
}

function whole(least: number, most: number): NumberCheck {
  return {
    about: `a whole number from ${least} to ${most}`,
    holds: (value) => Number.isInteger(value) && value >= least && value <= most,
  };
}

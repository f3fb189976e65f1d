/** What the demo prints for those who want to watch: commands to paste. */
import { relative } from 'node:path';

export interface Guide {
  script: string;
  /** host:port */
  url: string;
  match: string;
  contest: string;
  /** Of the match. */
  title: string;
  teams: number;
  smallContests: number;
  user: string;
  teamsOfUser: number;
  /** Another user, to follow with. */
  fan: string;
  player: { id: string; name: string };
  /** null: the gateway can be reached from elsewhere, so none are shown. */
  secrets: { apiKey: string; token: string; fanToken: string } | null;
  folder: string;
}

export function guideText(guide: Guide): string {
  const { contest, smallContests, user, folder, secrets } = guide;
  const command = `node ${relative(process.cwd(), guide.script)}`;
  const head = [
    '',
    `Contest ${contest}: ${guide.teams.toLocaleString('en')} teams; and ${smallContests} small contests ` +
      `(${contest}-s1, ${contest}-s2, ...).`,
    `The ${guide.title} is replayed ball by ball; every rank is exact.`,
    '',
  ];
  if (secrets !== null) return [...head, ...commands(guide, command, secrets)].join('\n');
  return [
    ...head,
    'The gateway can be reached from other machines, so no token and no key is shown.',
    `The keys are in ${folder}/secrets.json; this makes a token:`,
    `  ${command} token --user ${user} --token-secret <tokenSecret>`,
    '',
  ].join('\n');
}

function commands(guide: Guide, command: string, secrets: NonNullable<Guide['secrets']>): string[] {
  const { url, match, contest, user, fan, player } = guide;
  const bearer = (token: string): string => `-H 'authorization: Bearer ${token}'`;
  const { apiKey, token, fanToken } = secrets;
  return [
    `Watch as user ${user}, who owns ${guide.teamsOfUser} of the teams and has followers:`,
    `  ${command} watch contest:${contest} match:${match} feed:${user} \\`,
    `    --url ws://${url}/v1/socket --token ${token}`,
    '',
    'Read the first page of the leaderboard:',
    `  curl -s 'http://${url}/v1/contests/${contest}/leaderboard?page=0' ${bearer(token)}`,
    '',
    `Correct a player's points (${player.name}; his next ball sets them right again):`,
    `  curl -s http://${url}/v1/ingest/contest-events ${bearer(apiKey)} \\`,
    `    --data-binary '{"type":"points","id":"by-hand","at":'"$(date +%s)"'000,"match":"${match}",` +
      `"player":"${player.id}","points":200,"label":"by hand"}'`,
    '',
    `Let user ${fan} follow ${user}:`,
    `  curl -s -X PUT http://${url}/v1/users/${fan}/following/${user} ${bearer(fanToken)}`,
    '',
    'Ctrl-C ends it; the next start goes on where this one ended.',
    '',
  ];
}

export interface WindowGuide {
  /** http://host:port */
  url: string;
  /** Of the window. */
  user: string;
  fan: string;
  fanToken: string;
}

/** What the page's new user can be shown from a terminal. */
export function windowText({ url, user, fan, fanToken }: WindowGuide): string {
  return [
    '',
    `A window is open as ${user}. Let fan ${fan} follow it:`,
    `  curl -s -X PUT ${url}/v1/users/${fan}/following/${user} -H 'authorization: Bearer ${fanToken}'`,
    '',
  ].join('\n');
}

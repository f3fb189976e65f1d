import { createHmac, generateKeyPairSync, sign } from 'node:crypto';
import type { CodeName } from '../../proto/codes.ts';

export interface BadRequest {
  name: string;
  method: string;
  path: string;
  headers?: Record<string, string>;
  /** Whose credentials go with it. */
  as: 'user' | 'back end' | 'nobody';
  body?: string;
  code: CodeName;
  says: RegExp;
}

const get = (name: string, path: string, code: CodeName, says: RegExp): BadRequest => ({
  name,
  method: 'GET',
  path,
  as: 'user',
  code,
  says,
});
const post = (name: string, path: string, body: string, code: CodeName, says: RegExp): BadRequest => ({
  name,
  method: 'POST',
  path,
  as: 'back end',
  body,
  code,
  says,
});

export const badRequests: BadRequest[] = [
  get('no such path', '/v1/nothing', 'not_found', /\/v1\/nothing/),
  { ...get('wrong method', '/v1/contests/c/leaderboard', 'method_not_allowed', /PATCH/), method: 'PATCH' },
  { ...get('no token', '/v1/contests/c/leaderboard', 'invalid_token', /token/i), as: 'nobody' },
  {
    ...get('no Bearer', '/v1/contests/c/ranks?entry=a', 'invalid_token', /Bearer/),
    as: 'nobody',
    headers: { authorization: 'Basic eDp5' },
  },
  get('unknown contest', '/v1/contests/none/leaderboard', 'unknown_contest', /none/),
  get('contest of bad id', '/v1/contests/a%20b/leaderboard', 'bad_request', /a b/),
  get('page a word', '/v1/contests/bad-c/leaderboard?page=first', 'bad_request', /page/),
  get('page negative', '/v1/contests/bad-c/leaderboard?page=-1', 'bad_request', /page/),
  get('minVersion a word', '/v1/contests/bad-c/leaderboard?minVersion=new', 'bad_request', /minVersion/),
  get(
    'version of the far future',
    '/v1/contests/bad-c/leaderboard?minVersion=999999',
    'version_timeout',
    /999999/,
  ),
  get('a version not kept', '/v1/contests/bad-c/leaderboard?version=3', 'unknown_version', /Version 3/),
  get('version a word', '/v1/contests/bad-c/leaderboard?version=last', 'bad_request', /version/),
  get(
    'version and minVersion',
    '/v1/contests/bad-c/leaderboard?version=1&minVersion=1',
    'bad_request',
    /beside/,
  ),
  get('ranks of a version', '/v1/contests/bad-c/ranks?entry=a&version=3', 'bad_request', /newest/),
  get('versions of no contest', '/v1/contests/none/versions', 'unknown_contest', /none/),
  get('versions, too many', '/v1/contests/bad-c/versions?limit=501', 'bad_request', /limit/),
  get('no entry', '/v1/contests/bad-c/ranks', 'bad_request', /entry/),
  get('an entry of bad id', '/v1/contests/bad-c/ranks?entry=a%2Fb', 'bad_request', /a\/b/),
  get('offset a word', '/v1/users/me/followers?offset=all', 'bad_request', /offset/),
  get('limit too large', '/v1/users/me/followers?limit=100000', 'bad_request', /limit/),
  get('unknown command', '/v1/commands/none', 'not_found', /none/),
  get('no user', '/v1/profiles', 'bad_request', /user/),
  { ...get('somebody else follows', '/v1/users/other/following/third', 'forbidden', /other/), method: 'PUT' },
  { ...get('follows nobody', '/v1/users/me/following/a%20b', 'bad_request', /a b/), method: 'PUT' },
  { ...post('no API key', '/v1/ingest/contest-events', '{}', 'unauthorized', /API key/), as: 'nobody' },
  {
    ...post('a token for an API key', '/v1/ingest/contest-events', '{}', 'unauthorized', /API key/),
    as: 'user',
  },
  post('unknown topic', '/v1/ingest/weather', '{}', 'unknown_topic', /weather/),
  post('a topic of ours', '/v1/ingest/graph-changes', '{}', 'unknown_topic', /graph-changes/),
  post('publish no JSON', '/v1/publish', 'hello', 'bad_json', /JSON/),
  post(
    'publish to a contest',
    '/v1/publish',
    '{"channel":"contest:c","id":"x","data":1}',
    'bad_channel',
    /contest:c/,
  ),
  post('publish without id', '/v1/publish', '{"channel":"user:me","data":1}', 'bad_field', /id/),
  post(
    'body too long',
    '/v1/publish',
    JSON.stringify({ channel: 'user:me', id: 'x', data: 'x'.repeat(9_000_000) }),
    'body_too_large',
    /bytes/,
  ),
  { ...get('channel info of no channel', '/v1/channels/room:1', 'bad_channel', /room:1/), as: 'back end' },
  get('no upgrade', '/v1/socket', 'upgrade_required', /WebSocket|upgrade/i),
];

const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
const soon = (): number => Math.floor(Date.now() / 1000) + 600;

/** Tokens that no edge may take; `secret` is the right one. */
export function badTokens(secret: string): { name: string; token: string }[] {
  const hs = (header: object, claims: object, key = secret): string => {
    const body = `${encode(header)}.${encode(claims)}`;
    return `${body}.${createHmac('sha256', key).update(body).digest('base64url')}`;
  };
  const header = { alg: 'HS256', typ: 'JWT' };
  const claims = { sub: 'me', exp: soon() };
  const good = hs(header, claims);
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const es = `${encode({ alg: 'ES256' })}.${encode(claims)}`;
  const signed = sign('sha256', Buffer.from(es), { key: privateKey, dsaEncoding: 'ieee-p1363' });
  return [
    { name: 'empty', token: '' },
    { name: 'a word', token: 'secret' },
    { name: 'two parts', token: good.split('.').slice(0, 2).join('.') },
    { name: 'four parts', token: `${good}.x` },
    { name: 'no base64', token: `!!.${good.split('.')[1]}.${good.split('.')[2]}` },
    { name: 'another secret', token: hs(header, claims, 'another secret of more than 32 characters') },
    { name: 'signature cut', token: good.slice(0, -4) },
    { name: 'claims changed', token: good.replace(/\.[^.]+\./, `.${encode({ ...claims, sub: 'other' })}.`) },
    { name: 'alg none', token: `${encode({ alg: 'none' })}.${encode(claims)}.` },
    { name: 'alg HS512', token: hs({ alg: 'HS512' }, claims) },
    { name: 'another algorithm', token: `${es}.${signed.toString('base64url')}` },
    { name: 'no exp', token: hs(header, { sub: 'me' }) },
    { name: 'expired', token: hs(header, { sub: 'me', exp: soon() - 7_200 }) },
    { name: 'exp a string', token: hs(header, { sub: 'me', exp: 'tomorrow' }) },
    { name: 'not valid yet', token: hs(header, { ...claims, nbf: soon() }) },
    { name: 'no sub', token: hs(header, { exp: soon() }) },
    { name: 'sub not an id', token: hs(header, { ...claims, sub: 'a b' }) },
    { name: 'sub a number', token: hs(header, { ...claims, sub: 7 }) },
    {
      name: 'claims no JSON',
      token: hs(header, {}).replace(/\.[^.]+\./, `.${Buffer.from('{').toString('base64url')}.`),
    },
  ];
}

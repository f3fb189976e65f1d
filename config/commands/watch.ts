import { WebSocket } from 'ws';
import { jsonCodec } from '../../proto/codec.json.ts';
import type { ServerFrame } from '../../proto/frames.ts';
import { ConfigError } from '../options.ts';
import { CommandError } from './command-error.ts';

interface WatchFlags {
  url: string;
  token?: string;
  frames?: string;
}
/** The answer to the upgrade and to `connect`. */
const connectTimeoutMs = 10_000;

/**
 * Subscribes as a client would and prints each frame as a line of JSON, until it is ended or enough are
 * printed.
 */
export async function watch(channels: readonly string[], flags: WatchFlags): Promise<void> {
  const token = flags.token ?? process.env['RANKCAST_TOKEN'] ?? '';
  const framesMax = flags.frames === undefined ? Number.POSITIVE_INFINITY : Number(flags.frames);
  const problems: string[] = [];
  if (token === '')
    problems.push('no token: give --token or RANKCAST_TOKEN (rankcast token --user ID prints one)');
  if (!URL.canParse(flags.url)) problems.push(`--url: ${JSON.stringify(flags.url)} is not a URL`);
  if (!(framesMax >= 1)) problems.push(`--frames: "${flags.frames}" is not a number from 1`);
  if (problems.length > 0) throw new ConfigError(problems);

  const socket = new WebSocket(socketUrl(flags.url), jsonCodec.subprotocol, {
    handshakeTimeout: connectTimeoutMs,
  });
  const send = (frame: Parameters<typeof jsonCodec.encode>[0]) =>
    socket.send(jsonCodec.encode(frame), { binary: false });
  let printed = 0;
  let done = false;
  await new Promise<void>((resolve, reject) => {
    const finish = () => {
      done = true;
      socket.close(1000);
      resolve();
    };
    process.once('SIGINT', finish);
    process.once('SIGTERM', finish);
    socket.on('open', () => send({ t: 'connect', token, agent: 'rankcast watch' }));
    socket.on('message', (data) => {
      if (done) return;
      const text = String(data);
      process.stdout.write(`${text}\n`);
      printed += 1;
      const frame = JSON.parse(text) as ServerFrame;
      if (frame.t === 'connected') {
        for (const [index, channel] of channels.entries()) send({ t: 'subscribe', id: index + 1, channel });
      } else if (frame.t === 'error') {
        done = true;
        socket.close(1000);
        reject(new CommandError('failed', `${frame.channel ?? 'the gateway'}: ${frame.message}`));
      } else if (printed >= framesMax) finish();
    });
    socket.on('error', (error) => reject(new CommandError('unreachable', `${flags.url}: ${error.message}`)));
    socket.on('close', (code, reason) => {
      if (done) return;
      const why = String(reason) === '' ? '' : `: ${String(reason)}`;
      reject(new CommandError('failed', `the gateway closed the socket with ${code}${why}`));
    });
  });
}

/** Takes the gateway's plain address too. */
function socketUrl(given: string): string {
  const url = new URL(given);
  if (url.protocol === 'http:') url.protocol = 'ws:';
  if (url.protocol === 'https:') url.protocol = 'wss:';
  if (url.pathname === '/') url.pathname = '/v1/socket';
  return url.href;
}

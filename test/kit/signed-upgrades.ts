import { timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingMessage } from 'node:http';
import { connect, type Socket } from 'node:net';
import aws4 from 'aws4';

/**
 * What stands before Neptune: lets an upgrade through to a Gremlin server if its signature is right, and
 * answers 403 otherwise. Signatures are made again by another implementation than the one under test.
 */
export interface UpgradeVerifier {
  readonly port: number;
  /** Access keys of the upgrades let through, in order. */
  readonly taken: string[];
  readonly refused: string[];
  /** Whose signatures count from now on: secrets by access key. */
  accept(secrets: Readonly<Record<string, Secret>>): void;
  cut(): void;
  close(): Promise<void>;
}
export interface Secret {
  secretAccessKey: string;
  sessionToken?: string;
}

/** As AWS has it. */
const skewMaxMs = 300_000;

export async function openUpgradeVerifier(parts: {
  target: { host: string; port: number };
  region: string;
  service: string;
}): Promise<UpgradeVerifier> {
  const taken: string[] = [];
  const refused: string[] = [];
  const sockets = new Set<Socket>();
  let secrets: Readonly<Record<string, Secret>> = {};

  /** The access key; throws a sentence where the signature is not right. */
  function verify(request: IncomingMessage): string {
    const authorization = request.headers.authorization ?? '';
    const accessKeyId = /Credential=([^/]+)\//.exec(authorization)?.[1] ?? '';
    const date = String(request.headers['x-amz-date']);
    const secret = secrets[accessKeyId];
    if (secret === undefined) throw new Error('unknown access key');
    const at = Date.parse(date.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, '$1-$2-$3T$4:$5:$6Z'));
    if (!(Math.abs(Date.now() - at) <= skewMaxMs)) throw new Error('clock skew');
    const signed = aws4.sign(
      {
        method: 'GET',
        host: request.headers.host ?? '',
        path: request.url ?? '',
        service: parts.service,
        region: parts.region,
        headers: { 'X-Amz-Date': date },
      },
      { accessKeyId, ...secret },
    );
    const expected = Buffer.from(String(signed.headers?.['Authorization']));
    const given = Buffer.from(authorization);
    if (expected.length !== given.length || !timingSafeEqual(expected, given)) {
      throw new Error('wrong signature');
    }
    if (request.headers['x-amz-security-token'] !== secret.sessionToken) throw new Error('wrong token');
    return accessKeyId;
  }

  const server = createServer((_, response) => response.writeHead(403).end());
  server.on('upgrade', (request: IncomingMessage, socket: Socket, head: Buffer) => {
    sockets.add(socket);
    socket.on('error', () => socket.destroy());
    socket.on('close', () => sockets.delete(socket));
    try {
      taken.push(verify(request));
    } catch (error) {
      refused.push((error as Error).message);
      socket.end('HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n');
      return;
    }
    const upstream = connect(parts.target);
    const { rawHeaders } = request;
    let text = `GET ${request.url} HTTP/1.1\r\n`;
    for (let i = 0; i < rawHeaders.length; i += 2) text += `${rawHeaders[i]}: ${rawHeaders[i + 1]}\r\n`;
    upstream.write(`${text}\r\n`);
    upstream.write(head);
    upstream.on('error', () => socket.destroy());
    socket.on('close', () => upstream.destroy());
    socket.pipe(upstream).pipe(socket);
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const cut = () => {
    for (const socket of sockets) socket.resetAndDestroy();
  };
  return {
    port: (server.address() as { port: number }).port,
    taken,
    refused,
    accept(some) {
      secrets = some;
    },
    cut,
    close() {
      cut();
      return new Promise((resolve) => {
        server.close(() => resolve());
      });
    },
  };
}

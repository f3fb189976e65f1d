/** Gremlin Server with graphs in memory: `g` is a plain one, `gtx` one with transactions. Ids are strings. */
import { execFile } from 'node:child_process';
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { stringify } from 'yaml';
import { keyStore, type ServerTls, storePassword, trustStore } from './certificates.ts';
import { install } from './install.ts';
import { javaCommand } from './java.ts';
import { kitDir, temporaryFolder } from './places.ts';
import { freePort, host } from './ports.ts';
import { createServerProcess, type ServerNode, withFreshPorts } from './server-process.ts';

export interface GremlinStartOptions {
  port?: number;
  /** Data from an earlier run; none: a temporary folder. */
  folder?: string;
  tls?: ServerTls;
  /** Clients must show these (SASL PLAIN). */
  auth?: { user: string; password: string };
}

export interface GremlinServer extends ServerNode {
  /** `ws://127.0.0.1:<port>/gremlin` (`wss:` with TLS). */
  readonly url: string;
}

const heapMiB = 384;
/** Without it a graph cannot be written to its file. */
const saveFlag = '--add-opens=java.base/java.util.concurrent.atomic=ALL-UNNAMED';
const answerTimeoutMs = 5_000;
const run = promisify(execFile);

/** The graphs outlive `stop()`, not `kill()`: they are written when the server ends in order. */
export function startGremlin(options: GremlinStartOptions = {}): Promise<GremlinServer> {
  return withFreshPorts(options.port !== undefined, async () => {
    await install(['gremlin']);
    const port = options.port ?? (await freePort());
    const folder = options.folder ?? temporaryFolder('gremlin');
    await configure(folder, port, options);
    const url = `${options.tls === undefined ? 'ws' : 'wss'}://${host}:${port}/gremlin`;
    const node = createServerProcess({
      name: `gremlin ${port}`,
      port,
      folder,
      command: javaCommand({
        service: 'gremlin',
        folder,
        before: 'conf',
        heapMiB,
        flags: [saveFlag],
        main: 'org.apache.tinkerpop.gremlin.server.GremlinServer',
        words: ['conf/gremlin-server.yaml'],
      }),
      answers: () => ask(url, options),
      pollMs: 200,
      stopTimeoutMs: 20_000,
    });
    await node.start();
    return Object.assign(node, { url });
  });
}

async function configure(folder: string, port: number, options: GremlinStartOptions): Promise<void> {
  const conf = join(folder, 'conf');
  mkdirSync(conf, { recursive: true });
  for (const file of ['logback.xml', 'sources.groovy']) {
    copyFileSync(join(kitDir, 'gremlin', file), join(conf, file));
  }
  for (const [name, kind] of [
    ['graph', 'TinkerGraph'],
    ['txgraph', 'TinkerTransactionGraph'],
  ]) {
    const file = join(folder, `${name}.kryo`);
    writeFileSync(join(conf, `${name}.properties`), graphProperties(kind ?? '', file, 'gryo'));
  }
  if (options.auth !== undefined) await writeUsers(folder, options.auth);
  const settings = {
    ...gremlinSettings,
    port,
    ...(options.tls === undefined ? {} : { ssl: encryption(options.tls, conf) }),
    ...(options.auth === undefined
      ? {}
      : {
          authentication: {
            authenticator: `${tinker}.server.auth.SimpleAuthenticator`,
            authenticationHandler: `${tinker}.server.handler.SaslAndHttpBasicAuthenticationHandler`,
            config: { credentialsDb: 'conf/users.properties' },
          },
        }),
  };
  writeFileSync(join(conf, 'gremlin-server.yaml'), stringify(settings), { mode: 0o600 });
}

const tinker = 'org.apache.tinkerpop.gremlin';

function graphProperties(kind: string, file: string, format: string): string {
  return [
    `gremlin.graph=${tinker}.tinkergraph.structure.${kind}`,
    'gremlin.tinkergraph.vertexIdManager=ANY',
    'gremlin.tinkergraph.edgeIdManager=ANY',
    'gremlin.tinkergraph.vertexPropertyIdManager=LONG',
    `gremlin.tinkergraph.graphLocation=${file}`,
    `gremlin.tinkergraph.graphFormat=${format}`,
    '',
  ].join('\n');
}

export const gremlinSettings = {
  host,
  evaluationTimeout: 30_000,
  channelizer: `${tinker}.server.channel.WsAndHttpChannelizer`,
  graphs: { graph: 'conf/graph.properties', txgraph: 'conf/txgraph.properties' },
  scriptEngines: {
    'gremlin-groovy': {
      plugins: {
        [`${tinker}.server.jsr223.GremlinServerGremlinPlugin`]: {},
        [`${tinker}.tinkergraph.jsr223.TinkerGraphGremlinPlugin`]: {},
        [`${tinker}.jsr223.ScriptFileGremlinPlugin`]: { files: ['conf/sources.groovy'] },
      },
    },
  },
  serializers: [
    { className: `${tinker}.util.ser.GraphBinaryMessageSerializerV1` },
    { className: `${tinker}.util.ser.GraphSONMessageSerializerV3` },
    { className: `${tinker}.util.ser.GraphSONMessageSerializerV2` },
  ],
  threadPoolWorker: 1,
  gremlinPool: 4,
  maxContentLength: 10_485_760,
  maxChunkSize: 8_192,
  maxHeaderSize: 8_192,
  maxInitialLineLength: 4_096,
  idleConnectionTimeout: 0,
  keepAliveInterval: 0,
};

function encryption(tls: ServerTls, conf: string): Record<string, unknown> {
  return {
    enabled: true,
    keyStore: keyStore(tls, tls.caFile, join(conf, 'keystore.p12')),
    keyStorePassword: storePassword,
    keyStoreType: 'PKCS12',
    trustStore: trustStore(tls.caFile, join(conf, 'truststore.p12')),
    trustStorePassword: storePassword,
    trustStoreType: 'PKCS12',
    needClientAuth: tls.requireClientCert === true ? 'REQUIRE' : 'NONE',
  };
}

/** The users of the server are vertices of a graph of their own, with hashed passwords: Groovy makes it. */
async function writeUsers(folder: string, auth: { user: string; password: string }): Promise<void> {
  const file = join(folder, 'users.kryo');
  writeFileSync(join(folder, 'conf/users.properties'), graphProperties('TinkerGraph', file, 'gryo'));
  const script = `
    import org.apache.tinkerpop.gremlin.groovy.jsr223.dsl.credential.CredentialTraversalSource
    def graph = org.apache.tinkerpop.gremlin.structure.util.GraphFactory.open('conf/users.properties')
    def users = graph.traversal(CredentialTraversalSource)
    users.user(System.getenv('KIT_USER'), System.getenv('KIT_PASSWORD')).iterate()
    graph.close()`;
  const [program = '', ...words] = javaCommand({
    service: 'gremlin',
    folder,
    heapMiB: 128,
    flags: [saveFlag],
    main: 'groovy.ui.GroovyMain',
    words: ['-e', script],
  });
  const secrets = { KIT_USER: auth.user, KIT_PASSWORD: auth.password };
  await run(program, words, { cwd: folder, env: { ...process.env, ...secrets } });
}

/** A request over HTTP, which the server answers on the same port. */
function ask(url: string, { tls, auth }: GremlinStartOptions): Promise<void> {
  const files =
    tls === undefined
      ? {}
      : {
          cert: readFileSync(tls.certFile),
          key: readFileSync(tls.keyFile),
          // the kit's own question gets through to a server whose certificate is bad on purpose
          rejectUnauthorized: false,
        };
  const options = {
    ...files,
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    agent: false,
    timeout: answerTimeoutMs,
    ...(auth === undefined ? {} : { auth: `${auth.user}:${auth.password}` }),
  };
  return new Promise((resolve, reject) => {
    const send = tls === undefined ? httpRequest : httpsRequest;
    const asked = send(url.replace(/^ws/, 'http'), options, (response) => {
      response.resume();
      if (response.statusCode === 200) resolve();
      else reject(new Error(`it answers ${response.statusCode}`));
    });
    asked.on('timeout', () => asked.destroy(new Error('no answer')));
    asked.on('error', reject);
    asked.end(JSON.stringify({ gremlin: '1 + 1' }));
  });
}

import { readFileSync } from 'node:fs';

/** Files of a TLS connection to a server; all optional. */
export interface TlsOptions {
  /** CA that signed the server's certificate (PEM); without it, those that Node knows. */
  caFile?: string;
  /** Client certificate and its key (PEM), for servers that ask for one. */
  certFile?: string;
  keyFile?: string;
  /** Name that the server's certificate must carry, where it differs from the host dialled. */
  serverName?: string;
}

/** What `tls.connect` takes. */
export interface TlsMaterial {
  ca?: string;
  cert?: string;
  key?: string;
  servername?: string;
}

/**
 * Reads the files. `undefined` where no option is set: then TLS is the address's to say (`rediss:`, `wss:`).
 * Throws an `Error` that names the file that cannot be read, or the one that is missing of a pair.
 */
export function readTls(options: TlsOptions): TlsMaterial | undefined {
  const { caFile, certFile, keyFile, serverName } = options;
  if (caFile === undefined && certFile === undefined && keyFile === undefined && serverName === undefined) {
    return undefined;
  }
  if ((certFile === undefined) !== (keyFile === undefined)) {
    const [there, missing] = certFile === undefined ? ['key', 'certificate'] : ['certificate', 'key'];
    throw new Error(`a client ${there} is given without its ${missing}`);
  }
  const material: TlsMaterial = {};
  if (caFile !== undefined) material.ca = readPem(caFile);
  if (certFile !== undefined) material.cert = readPem(certFile);
  if (keyFile !== undefined) material.key = readPem(keyFile);
  if (serverName !== undefined) material.servername = serverName;
  return material;
}

function readPem(file: string): string {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw new Error(`${file} cannot be read: ${(error as NodeJS.ErrnoException).code ?? 'unknown fault'}`);
  }
  if (!text.includes('-----BEGIN ')) throw new Error(`${file} holds no PEM text`);
  return text;
}

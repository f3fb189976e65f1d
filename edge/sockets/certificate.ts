import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createSecureContext } from 'node:tls';

/** A certificate with its chain, and the key that fits it, as PEM text and where they were read. */
export interface Certificate {
  certFile: string;
  keyFile: string;
  cert: string;
  key: string;
  /** ms since the epoch. */
  expiresAt: number;
}

/**
 * Reads both and checks them against each other. Throws a sentence that names the file at fault (never what a
 * key holds).
 */
export function readCertificate(certFile: string, keyFile: string): Certificate {
  const cert = readPem(certFile);
  const key = readPem(keyFile);
  const first = attempt(() => new X509Certificate(cert), `${certFile} holds no certificate`);
  const own = attempt(() => createPrivateKey(key), `${keyFile} holds no private key without a passphrase`);
  if (!first.checkPrivateKey(own)) throw new Error(`The key in ${keyFile} does not fit ${certFile}.`);
  attempt(() => createSecureContext({ cert, key }), `${certFile} holds a broken chain of certificates`);
  return { certFile, keyFile, cert, key, expiresAt: Date.parse(first.validTo) };
}

/** Whether the files still hold what was read. */
export function isCurrent({ certFile, keyFile, cert, key }: Certificate): boolean {
  return readPem(certFile) === cert && readPem(keyFile) === key;
}

function readPem(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new Error(`${file} cannot be read: ${(error as NodeJS.ErrnoException).code ?? 'unknown fault'}.`);
  }
}

function attempt<T>(read: () => T, sentence: string): T {
  try {
    return read();
  } catch {
    throw new Error(`${sentence}.`);
  }
}

/**
 * What a test of TLS needs: an authority of its own, server certificates (good, expired, for another name)
 * and client certificates, made with the `openssl` command. All files are PEM; keys are PKCS#8 without a
 * password.
 */
import { execFileSync } from 'node:child_process';
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { javaTool } from './install.ts';
import { temporaryFolder } from './places.ts';

export interface Certificate {
  certFile: string;
  keyFile: string;
}

export interface CertificateOptions {
  /** The common name. */
  name?: string;
  /** Names and addresses it is good for. */
  hosts?: readonly string[];
  expired?: boolean;
}

export interface Authority {
  /** The authority's own certificate, for those who should trust it. */
  caFile: string;
  folder: string;
  /** For a server on loopback, unless the options say otherwise. */
  server(options?: CertificateOptions): Certificate;
  client(name: string, options?: { expired?: boolean }): Certificate;
}

/** What `startX({ tls })` takes. */
export interface ServerTls extends Certificate {
  caFile: string;
  /** Clients must show a certificate of `caFile`'s authority. */
  requireClientCert?: boolean;
}

export const loopbackHosts = ['localhost', '127.0.0.1', '::1'] as const;
/** Of the stores that JVM servers read. */
export const storePassword = 'store-password';

/** A new certificate authority in a folder that goes with the process. */
export function createAuthority(name = 'Rankcast test authority'): Authority {
  const folder = temporaryFolder('certificates');
  const caFile = join(folder, 'ca.pem');
  const caKey = join(folder, 'ca.key');
  newKey(caKey);
  openssl(['req', '-x509', '-new', '-key', caKey, '-out', caFile, '-days', '3650', '-subj', `/CN=${name}`]);
  let serial = 0;

  function issue(kind: 'server' | 'client', options: CertificateOptions): Certificate {
    serial += 1;
    const base = join(folder, `${kind}-${serial}`);
    const [certFile, keyFile] = [`${base}.pem`, `${base}.key`];
    const { name: commonName = kind, hosts = [], expired = false } = options;
    newKey(keyFile);
    openssl(['req', '-new', '-key', keyFile, '-out', `${base}.csr`, '-subj', `/CN=${commonName}`]);
    const lines = [
      'basicConstraints=CA:FALSE',
      'keyUsage=digitalSignature,keyEncipherment',
      // servers of a cluster connect to one another with the same certificate
      `extendedKeyUsage=${kind === 'server' ? 'serverAuth,clientAuth' : 'clientAuth'}`,
    ];
    if (hosts.length > 0) {
      lines.push(`subjectAltName=${hosts.map((one) => `${isAddress(one) ? 'IP' : 'DNS'}:${one}`).join(',')}`);
    }
    writeFileSync(`${base}.ext`, `${lines.join('\n')}\n`);
    const signer = ['x509', '-req', '-in', `${base}.csr`, '-CA', caFile, '-CAkey', caKey];
    const number = ['-set_serial', String(serial), '-extfile', `${base}.ext`, '-out', certFile];
    openssl([...signer, ...number, ...validity(expired)]);
    return { certFile, keyFile };
  }

  return {
    caFile,
    folder,
    server: (options = {}) => issue('server', { hosts: loopbackHosts, ...options }),
    client: (commonName, options = {}) => issue('client', { name: commonName, ...options }),
  };
}

/** `openssl x509` of older releases knows only days, and takes negative ones: it ended yesterday. */
function validity(expired: boolean): string[] {
  return ['-days', expired ? '-1' : '3650'];
}

function isAddress(name: string): boolean {
  return /^[\d.]+$/.test(name) || name.includes(':');
}

function newKey(file: string): void {
  openssl(['genpkey', '-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256', '-out', file]);
}

/** One PEM file with the key and then the certificate, as Kafka's stores are. */
export function keyAndCertificate({ certFile, keyFile }: Certificate, target: string): string {
  writeFileSync(target, readFileSync(keyFile, 'utf8') + readFileSync(certFile, 'utf8'), { mode: 0o600 });
  return target;
}

/** A PKCS#12 store of a key and its certificate, with the password `storePassword`. */
export function keyStore({ certFile, keyFile }: Certificate, caFile: string, target: string): string {
  const parts = ['-inkey', keyFile, '-in', certFile, '-certfile', caFile, '-name', 'server'];
  openssl(['pkcs12', '-export', ...parts, '-out', target, '-passout', `pass:${storePassword}`]);
  return target;
}

/** A PKCS#12 store of what to trust. Java trusts only what its keytool put there. */
export function trustStore(caFile: string, target: string): string {
  const keytool = javaTool('keytool');
  if (keytool === undefined) throw new Error('keytool, which comes with Java, is not on the PATH');
  const words = ['-importcert', '-noprompt', '-alias', 'ca', '-file', caFile, '-keystore', target];
  execFileSync(keytool, [...words, '-storetype', 'PKCS12', '-storepass', storePassword], { stdio: 'pipe' });
  return target;
}

/** Puts the files into a server's folder, so that a test can replace them there. */
export function copyTls(tls: ServerTls, folder: string): { ca: string; cert: string; key: string } {
  const files = { ca: join(folder, 'ca.pem'), cert: join(folder, 'cert.pem'), key: join(folder, 'key.pem') };
  copyFileSync(tls.caFile, files.ca);
  copyFileSync(tls.certFile, files.cert);
  copyFileSync(tls.keyFile, files.key);
  return files;
}

function openssl(words: string[]): void {
  try {
    execFileSync('openssl', words, { stdio: ['ignore', 'pipe', 'pipe'] });
  } catch (error) {
    const { code, stderr } = error as { code?: string; stderr?: Buffer };
    if (code === 'ENOENT') throw new Error('openssl is not on the PATH (apt-get install openssl)');
    throw new Error(`openssl ${words[0]} failed: ${String(stderr)}`);
  }
}

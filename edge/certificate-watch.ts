/**
 * Keeps the certificate of the sockets that of its files: looked at in steps, and on request (SIGHUP). New
 * files that will not do (half written, a key that does not fit, run out already) change nothing but the log
 * and the metrics, and are looked at again.
 */
import type { Logger } from 'pino';
import { Counter, Gauge, type Registry } from 'prom-client';
import type { Clock } from '../channels/clock.ts';
import { type Certificate, isCurrent, readCertificate } from './sockets/certificate.ts';

/** Certificates are renewed weeks before they run out; an operator who changes one by hand waits for this. */
export const certificateCheckMs = 10_000;

export interface CertificateWatchParts {
  certificate: Certificate;
  clock: Clock;
  logger: Logger;
  registry: Registry;
  /** Rejects where it cannot be used. */
  use(certificate: Certificate): Promise<void>;
}
export interface CertificateWatch {
  /** Looks at the files now. Resolves when what they hold is in use, or has been refused. */
  reload(): Promise<void>;
  close(): void;
}

export function watchCertificate(parts: CertificateWatchParts): CertificateWatch {
  const { clock, logger, registry, use } = parts;
  let { certificate } = parts;
  let refused = '';
  let closed = false;
  let looking: Promise<void> | null = null;
  const { expiry, reloads } = certificateMetrics(registry);
  expiry.set(certificate.expiresAt / 1_000);
  if (certificate.expiresAt <= clock.now()) {
    logger.error({ file: certificate.certFile }, 'the TLS certificate has run out');
  }

  async function look(): Promise<void> {
    try {
      if (isCurrent(certificate)) {
        refused = '';
        return;
      }
      const next = readCertificate(certificate.certFile, certificate.keyFile);
      if (next.expiresAt <= clock.now() && certificate.expiresAt > next.expiresAt) {
        throw new Error(`The certificate in ${next.certFile} has run out.`);
      }
      await use(next);
      certificate = next;
      refused = '';
      expiry.set(next.expiresAt / 1_000);
      reloads.inc({ outcome: 'taken' });
      const until = new Date(next.expiresAt).toISOString();
      logger.info({ file: next.certFile, until }, 'new TLS certificate taken');
    } catch (error) {
      refuse((error as Error).message);
    }
  }

  /** Once for each fault: the files are looked at again and again. */
  function refuse(why: string): void {
    if (why === refused) return;
    refused = why;
    reloads.inc({ outcome: 'refused' });
    logger.error({ why }, 'the new TLS certificate is refused; the one before stays in use');
  }

  function reload(): Promise<void> {
    looking ??= look().finally(() => {
      looking = null;
    });
    return looking;
  }

  function plan(): () => void {
    return clock.after(certificateCheckMs, () => {
      void reload().then(() => {
        if (!closed) cancel = plan();
      });
    });
  }
  let cancel = plan();

  return {
    reload,
    close() {
      closed = true;
      cancel();
    },
  };
}

function certificateMetrics(registry: Registry) {
  return {
    expiry: new Gauge({
      name: 'rankcast_tls_certificate_expiry_seconds',
      help: 'When the TLS certificate in use runs out, in seconds since 1970.',
      aggregator: 'min',
      registers: [registry],
    }),
    reloads: new Counter({
      name: 'rankcast_tls_certificate_reloads_total',
      help: 'New TLS certificates found, by what became of them: taken, refused.',
      labelNames: ['outcome'],
      registers: [registry],
    }),
  };
}

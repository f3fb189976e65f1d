import { availableParallelism } from 'node:os';
import { z } from 'zod';
import { readCertificate } from '../edge/sockets/certificate.ts';
import { parseNetworks } from '../edge/sockets/networks.ts';
import { integer, list, type OptionSpec } from './option-schemas.ts';

/** More processes than any machine has cores are a mistake. */
const processesMax = 256;

/** Options of how an edge stands behind a load balancer, ends TLS, and spreads over cores. */
export const edgeOptionTable = {
  proxyProtocolFrom: {
    schema: list.default([]),
    about: 'Networks (CIDR) of load balancers whose connections begin with a PROXY protocol v2 header.',
  },
  tlsCertFile: {
    schema: z.string().default(''),
    about: 'TLS: certificate with its chain (PEM); a new one is taken within 10 s, or at once on SIGHUP.',
  },
  tlsKeyFile: { schema: z.string().default(''), about: 'TLS: key of the certificate (PEM).' },
  processes: {
    schema: z.union([
      z.literal('auto').transform(() => Math.min(processesMax, availableParallelism())),
      integer(1, processesMax, 1),
    ]),
    about: 'Processes of an edge on its one port; auto: one for each core.',
  },
} as const satisfies Record<string, OptionSpec>;

type EdgeTable = {
  [Name in keyof typeof edgeOptionTable]: z.output<(typeof edgeOptionTable)[Name]['schema']>;
};

/** What must hold between them. */
export function edgeFaults({ proxyProtocolFrom, tlsCertFile, tlsKeyFile }: EdgeTable): string[] {
  const faults: string[] = [];
  try {
    parseNetworks(proxyProtocolFrom);
  } catch (error) {
    faults.push(`--proxy-protocol-from: ${(error as Error).message}`);
  }
  if ((tlsCertFile === '') !== (tlsKeyFile === '')) {
    faults.push('--tls-cert-file and --tls-key-file belong together');
  } else if (tlsCertFile !== '') {
    try {
      readCertificate(tlsCertFile, tlsKeyFile);
    } catch (error) {
      faults.push(`--tls-cert-file, --tls-key-file: ${(error as Error).message}`);
    }
  }
  return faults;
}

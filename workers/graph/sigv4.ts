import { Sha256 } from '@aws-crypto/sha256-js';
import { defaultProvider } from '@aws-sdk/credential-provider-node';
import { SignatureV4 } from '@smithy/signature-v4';

export interface AwsCredentials {
  accessKeyId: string;
  secretAccessKey: string;
  sessionToken?: string;
}
export type AwsCredentialsProvider = () => Promise<AwsCredentials>;

/**
 * Signs WebSocket upgrades as AWS asks for (Signature Version 4, in the `Authorization` header), each with
 * the credentials of that moment. Signed are the method, the path, the query, `host`, `x-amz-date` and, for
 * temporary credentials, `x-amz-security-token`.
 */
export function createUpgradeSigner(parts: {
  region: string;
  /** `neptune-db` for Neptune. */
  service: string;
  now(): number;
  /** Asked before each signature. By default those that the AWS SDK finds: environment, files, roles. */
  credentials?: AwsCredentialsProvider;
}): (url: URL) => Promise<Record<string, string>> {
  const { region, service, now } = parts;
  const credentials = parts.credentials ?? foundCredentials();
  const signer = new SignatureV4({ service, region, credentials, sha256: Sha256, applyChecksum: false });
  return async (url) => {
    const query: Record<string, string[]> = {};
    for (const [name, value] of url.searchParams) {
      query[name] ??= [];
      query[name].push(value);
    }
    const request = {
      method: 'GET',
      protocol: url.protocol === 'wss:' ? 'https:' : 'http:',
      hostname: url.hostname,
      path: url.pathname,
      query,
      // As the upgrade will have it: with the port, unless it is the protocol's own.
      headers: { host: url.host },
    };
    const signed = await signer.sign(request, { signingDate: new Date(now()) });
    return signed.headers;
  };
}

/**
 * The SDK's chain keeps credentials until they expire, and those without an end for ever. A new chain every
 * few minutes also finds what was replaced in a file.
 */
function foundCredentials(): AwsCredentialsProvider {
  let provider = defaultProvider({ ignoreCache: true });
  let madeAt = performance.now();
  return () => {
    if (performance.now() - madeAt > chainAgeMaxMs) {
      provider = defaultProvider({ ignoreCache: true });
      madeAt = performance.now();
    }
    return provider();
  };
}

const chainAgeMaxMs = 300_000;

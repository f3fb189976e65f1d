import { ServiceError } from '../../proto/codes.ts';

/**
 * Faults of connections as sentences. What a client library throws may carry the whole configuration
 * (passwords too), so nothing of it is passed on but its code and the first line of its message.
 */

/** By the code of Node's tls and net: what is wrong, after the server's name. */
const byCode: Readonly<Record<string, string>> = {
  SELF_SIGNED_CERT_IN_CHAIN: 'its certificate is signed by a CA that is not trusted here',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'its certificate is signed by itself, which is not trusted here',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'its certificate is signed by a CA that is not trusted here',
  UNABLE_TO_GET_ISSUER_CERT: 'its certificate is signed by a CA that is not trusted here',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'its certificate is signed by a CA that is not trusted here',
  CERT_SIGNATURE_FAILURE: 'its certificate is signed by a CA that is not trusted here',
  CERT_HAS_EXPIRED: 'its certificate has expired',
  CERT_NOT_YET_VALID: 'its certificate is not valid yet',
  CERT_REVOKED: 'its certificate was revoked',
  ERR_TLS_CERT_ALTNAME_INVALID: 'its certificate is for another name than the one dialled',
  ERR_SSL_WRONG_VERSION_NUMBER: 'it does not speak TLS on that port',
  EPROTO: 'the TLS handshake failed',
  ECONNREFUSED: 'nothing listens at that address',
  ECONNRESET: 'it closed the connection',
  EPIPE: 'it closed the connection',
  ETIMEDOUT: 'it did not answer in time',
  EHOSTUNREACH: 'no way leads to its host',
  ENETUNREACH: 'no way leads to its network',
  ENOTFOUND: 'its name is not known',
  EAI_AGAIN: 'its name could not be looked up',
};

/** By what servers and clients say, where there is no code. In this order: the first that fits. */
const bySaying: readonly (readonly [RegExp, string])[] = [
  [
    /self[- ]signed certificate|unable to (verify|get)[^.]*(certificate|issuer)/i,
    byCode['SELF_SIGNED_CERT_IN_CHAIN']!,
  ],
  [/certificate has expired|certificate_expired|alert certificate expired/i, byCode['CERT_HAS_EXPIRED']!],
  [/Hostname\/IP does not match|altname/i, byCode['ERR_TLS_CERT_ALTNAME_INVALID']!],
  [/wrong version number/i, byCode['ERR_SSL_WRONG_VERSION_NUMBER']!],
  [
    /alert (certificate (required|unknown)|bad certificate|unknown ca)|certificate required/i,
    'it wants a client certificate that it trusts',
  ],
  [
    /alert (internal error|handshake failure)|handshake_failure/i,
    'it ended the TLS handshake; it may want a client certificate that it trusts',
  ],
  [
    /WRONGPASS|NOAUTH|invalid user|SASL|authenticat|credentials|unauthorized|\b401\b/i,
    'it does not take the user name and password given',
  ],
  [/\b403\b|forbidden|AccessDenied|signature/i, 'it does not take the credentials given'],
  [/ECONNREFUSED/, byCode['ECONNREFUSED']!],
  [/ECONNRESET|socket hang up|socket closed|connection (is )?closed/i, byCode['ECONNRESET']!],
  [/ENOTFOUND/, byCode['ENOTFOUND']!],
  [/time(d)? ?out/i, byCode['ETIMEDOUT']!],
];

/** How deep causes and inner errors are looked into. */
const depthMax = 5;

/** One sentence that names the server and what is wrong, without secrets. */
export function connectionFault(server: string, error: unknown): string {
  // One of ours is a sentence already.
  if (error instanceof ServiceError) return error.message;
  return `${server}: ${known(error, depthMax) ?? unknownFault(error)}.`;
}

function known(error: unknown, depth: number): string | null {
  if (depth === 0 || typeof error !== 'object' || error === null) return null;
  const { code, message } = error as { code?: unknown; message?: unknown };
  if (typeof code === 'string' && byCode[code] !== undefined && code !== 'EPROTO') return byCode[code];
  if (typeof message === 'string') {
    for (const [saying, sentence] of bySaying) if (saying.test(message)) return sentence;
  }
  for (const inner of innerErrors(error)) {
    const sentence = known(inner, depth - 1);
    if (sentence !== null) return sentence;
  }
  return typeof code === 'string' ? (byCode[code] ?? null) : null;
}

/** What wraps: `cause`, AggregateError's `errors`, `lastNodeError` (ioredis), `innerErrors` (cassandra). */
function innerErrors(error: object): unknown[] {
  const {
    cause,
    errors,
    lastNodeError,
    innerErrors: byHost,
    originalError,
  } = error as Record<string, unknown>;
  const list = Array.isArray(errors) ? errors : [];
  const hosts = typeof byHost === 'object' && byHost !== null ? Object.values(byHost) : [];
  return [cause, lastNodeError, originalError, ...list, ...hosts].filter((one) => one !== undefined);
}

function unknownFault(error: unknown): string {
  if (!(error instanceof Error)) return 'it failed without saying why';
  const code = (error as { code?: unknown }).code;
  const named = typeof code === 'string' || typeof code === 'number' ? `${error.name} (${code})` : error.name;
  return `${named}, ${firstLine(error.message)}`;
}

const messageCharsMax = 200;
/** The first line, without the user information of addresses, which may hold a password. */
function firstLine(message: string): string {
  const line = (message.split('\n', 1)[0] ?? '').slice(0, messageCharsMax);
  return line.replace(/\/\/[^@/\s]*@/g, '//').replace(/\.+$/, '');
}

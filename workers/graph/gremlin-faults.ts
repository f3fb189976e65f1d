import { ServiceError } from '../../proto/codes.ts';

/** A request that the server answered with a fault. */
export class GremlinFault extends ServiceError {
  /** The server cannot take writes any more (it was the writer before a failover): connect anew. */
  readonly isElsewhere: boolean;
  constructor(message: string, retryable: boolean, isElsewhere: boolean) {
    super(message, retryable);
    this.name = 'GremlinFault';
    this.isElsewhere = isElsewhere;
  }
}

/**
 * Neptune's codes, in the JSON that its messages are, and what to do: try again what its documentation says
 * may be tried again ("Graph engine error messages and codes"). A ReadOnlyViolation is final on a replica,
 * but after a failover it means that the writer is another instance now.
 */
const retryableCodes: ReadonlySet<string> = new Set([
  'CancelledByUserException',
  'ClientTimeoutException',
  'ConcurrentModificationException',
  'ConstraintViolationException',
  'FailureByQueryException',
  'InternalFailureException',
  'MemoryLimitExceededException',
  'QueryLimitExceededException',
  'ReadOnlyViolationException',
  'ServerShutdownException',
  'ThrottlingException',
  'TimeLimitExceededException',
  'TooManyRequestsException',
]);
const elsewhereCodes: ReadonlySet<string> = new Set([
  'ReadOnlyViolationException',
  'ServerShutdownException',
]);

/**
 * What servers without Neptune's codes say when two requests got into each other's way: a transaction that
 * lost, or, without transactions, an element that the other one created in between.
 */
const conflict =
  /already exists|conflict|concurrentmodification|transactionexception|(temporary|permanent)locking/i;

export function serverFault(status: number, message: string): GremlinFault {
  const { code, detail } = neptuneFault(message);
  if (status === 401) {
    return new GremlinFault(
      'gremlin: it does not take the user name and password given (401).',
      false,
      false,
    );
  }
  if (status === 403) {
    return new GremlinFault('gremlin: it does not take the credentials given (403).', false, false);
  }
  if (status === 598) {
    return new GremlinFault('gremlin: a request was not done within its time limit (598).', true, false);
  }
  const retryable =
    code === null ? status === 429 || (status === 500 && conflict.test(message)) : retryableCodes.has(code);
  const said = code === null ? sentence(message) : `${code}, ${sentence(detail)}`;
  return new GremlinFault(
    `gremlin: it answered with ${status}: ${said}.`,
    retryable,
    code !== null && elsewhereCodes.has(code),
  );
}

function neptuneFault(message: string): { code: string | null; detail: string } {
  if (!message.startsWith('{')) return { code: null, detail: message };
  try {
    const { code, detailedMessage } = JSON.parse(message) as { code?: unknown; detailedMessage?: unknown };
    if (typeof code === 'string') return { code, detail: String(detailedMessage ?? '') };
  } catch {
    // Not Neptune's, then.
  }
  return { code: null, detail: message };
}

const messageCharsMax = 200;
function sentence(message: string): string {
  return (message.split('\n', 1)[0] ?? '').slice(0, messageCharsMax).replace(/\.+$/, '');
}

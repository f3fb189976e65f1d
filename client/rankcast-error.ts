import { type CodeName, codes } from '../proto/codes.ts';

/**
 * What the SDK reports. `code` is a name of the table in proto/codes.ts, or one of the SDK's own: `order` (a
 * position fell, was repeated or left out), `bad_answer` (an edge's frame or HTTP answer made no sense),
 * `no_answer` (nothing came in time), `unreachable` (the connection or request failed), `no_token` (the token
 * function failed), `unsupported` (this platform lacks something that was not given as an option).
 */
export type SdkCode = 'order' | 'bad_answer' | 'no_answer' | 'unreachable' | 'no_token' | 'unsupported';

export class RankcastError extends Error {
  readonly code: CodeName | SdkCode;
  /** The channel it concerns, if one. */
  readonly channel: string | null;
  constructor(code: CodeName | SdkCode, message: string, channel: string | null = null, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'RankcastError';
    this.code = code;
    this.channel = channel;
  }
}

const nameByNumber = new Map<number, CodeName>();
for (const [name, { no }] of Object.entries(codes)) nameByNumber.set(no, name as CodeName);

/** A code's name; `bad_answer` for a number this version of the SDK does not know. */
export function codeName(no: number): CodeName | SdkCode {
  return nameByNumber.get(no) ?? 'bad_answer';
}

export function isCodeName(name: unknown): name is CodeName {
  return typeof name === 'string' && Object.hasOwn(codes, name);
}

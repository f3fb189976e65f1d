/**
 * The question by which edges tell followers workers of lists that they found lost. It goes to all of them;
 * each mends those of the users whose changes it applies, and answers when they are whole, or soon in any
 * case. Asked again it does nothing twice.
 */
export const rebuildSubject = 'rebuild';
/** Users in a question. */
export const rebuildUsersMax = 100;

export function encodeRebuild(users: readonly string[]): Uint8Array {
  return Buffer.from(JSON.stringify(users));
}

export function decodeRebuild(question: Uint8Array): string[] {
  const text = Buffer.from(question.buffer, question.byteOffset, question.byteLength).toString();
  return JSON.parse(text) as string[];
}

import { ClientError, type CodeName } from './codes.ts';

/** A record that is not taken: `code` and a sentence for `dead-letters` and for whoever sent it. */
export class RecordError extends ClientError {
  constructor(code: CodeName, message: string) {
    super(code, message);
    this.name = 'RecordError';
  }
}

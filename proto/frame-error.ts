import { ClientError } from './codes.ts';

/** A message that is no frame, or a frame that breaks a rule: the socket is closed with the code. */
export class FrameError extends ClientError {
  constructor(message: string, code: 'bad_frame' | 'frame_too_large' = 'bad_frame') {
    super(code, message);
    this.name = 'FrameError';
  }
}

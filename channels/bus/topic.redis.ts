import type { ServiceError } from '../../proto/codes.ts';
import type { TopicPlace } from './layout.redis.ts';

/** A topic that is listened to. There may be one for each user on the edge: fixed fields, nothing spare. */
export class Topic implements TopicPlace {
  readonly topic: string;
  readonly partition: number;
  /** 'sent': Redis has been asked and has not confirmed yet. */
  phase: 'off' | 'sent' | 'on' = 'off';
  /** Listeners of this process. */
  count = 0;
  /** Those who wait for the confirmation. */
  waiting: Waiting[] | null = null;
  /** The server it is subscribed on; null: not known. */
  home: string | null = null;

  constructor({ topic, partition }: TopicPlace) {
    this.topic = topic;
    this.partition = partition;
  }
}

export interface Waiting {
  readonly deadlineAt: number;
  resolve(): void;
  reject(error: ServiceError): void;
}

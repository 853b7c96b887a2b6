// What goes wrong with Kafka, sorted: try again, begin anew, or say what the user can mend.

import { SealwatchError } from '../../../../core/errors.ts';
import type { ClientError } from './inside.ts';

/** Kafka's numbers of the faults that are looked at one by one (kafka.apache.org/protocol, error codes). */
export const faultCodes = {
  none: 0,
  offsetOutOfRange: 1,
} as const;

const nameOf: Record<number, string> = {
  2: 'CORRUPT_MESSAGE',
  3: 'UNKNOWN_TOPIC_OR_PARTITION',
  5: 'LEADER_NOT_AVAILABLE',
  6: 'NOT_LEADER_OR_FOLLOWER',
  7: 'REQUEST_TIMED_OUT',
  10: 'MESSAGE_TOO_LARGE',
  13: 'NETWORK_EXCEPTION',
  18: 'RECORD_LIST_TOO_LARGE',
  19: 'NOT_ENOUGH_REPLICAS',
  20: 'NOT_ENOUGH_REPLICAS_AFTER_APPEND',
  29: 'TOPIC_AUTHORIZATION_FAILED',
  31: 'CLUSTER_AUTHORIZATION_FAILED',
  45: 'OUT_OF_ORDER_SEQUENCE_NUMBER',
  46: 'DUPLICATE_SEQUENCE_NUMBER',
  47: 'INVALID_PRODUCER_EPOCH',
  56: 'KAFKA_STORAGE_ERROR',
  59: 'UNKNOWN_PRODUCER_ID',
  74: 'FENCED_LEADER_EPOCH',
  75: 'UNKNOWN_LEADER_EPOCH',
  87: 'INVALID_RECORD',
};

/** Rights, sizes, configuration: trying again changes nothing. */
const lasting = new Set([
  'MESSAGE_TOO_LARGE',
  'RECORD_LIST_TOO_LARGE',
  'TOPIC_AUTHORIZATION_FAILED',
  'GROUP_AUTHORIZATION_FAILED',
  'CLUSTER_AUTHORIZATION_FAILED',
  'SASL_AUTHENTICATION_FAILED',
  'UNSUPPORTED_SASL_MECHANISM',
  'INVALID_TOPIC_EXCEPTION',
  'INVALID_REPLICATION_FACTOR',
  'INVALID_CONFIG',
  'POLICY_VIOLATION',
  'INVALID_RECORD',
]);

/** The producer's numbers are out of step with the broker's: a new producer must begin. */
const ofProducer = new Set([
  'OUT_OF_ORDER_SEQUENCE_NUMBER',
  'DUPLICATE_SEQUENCE_NUMBER',
  'INVALID_PRODUCER_EPOCH',
  'UNKNOWN_PRODUCER_ID',
]);

/** The connection works, only who leads or coordinates has changed. */
const staleNames = new Set([
  'UNKNOWN_TOPIC_OR_PARTITION',
  'LEADER_NOT_AVAILABLE',
  'NOT_LEADER_OR_FOLLOWER',
  'NOT_LEADER_FOR_PARTITION',
  'FENCED_LEADER_EPOCH',
  'UNKNOWN_LEADER_EPOCH',
  'NOT_COORDINATOR_FOR_GROUP',
  'GROUP_COORDINATOR_NOT_AVAILABLE',
  'GROUP_LOAD_IN_PROGRESS',
  'NOT_ENOUGH_REPLICAS',
  'NOT_ENOUGH_REPLICAS_AFTER_APPEND',
  'KAFKA_STORAGE_ERROR',
]);

/** A broker's answer for one partition. */
export class PartitionFault extends Error {
  override readonly name = 'PartitionFault';
  readonly type: string;

  constructor(code: number, topic: string, partition: number) {
    const type = nameOf[code] ?? `error ${code}`;
    super(`${topic}/${partition}: ${type}`);
    this.type = type;
  }
}

export type Remedy = 'mend' | 'producer' | 'metadata' | 'connection';

/** What helps against an error of kafkajs or a `PartitionFault`. */
export function remedyOf(error: unknown): Remedy {
  const all = [...causes(error as ClientError)];
  const types = all.map(({ type = '' }) => type);
  if (types.some((type) => ofProducer.has(type))) return 'producer';
  if (types.some((type) => lasting.has(type)) || all.some(isOfLogin)) return 'mend';
  return types.some((type) => staleNames.has(type)) ? 'metadata' : 'connection';
}

/** The error, what it comes from, and those of single topics and partitions in it. */
function* causes(error: ClientError | undefined, depth = 0): Generator<ClientError> {
  if (error == null || depth > 5) return;
  yield error;
  yield* causes(error.cause as ClientError | undefined, depth + 1);
  for (const one of error.errors ?? []) yield* causes(one, depth + 1);
  for (const one of error.partitions ?? []) yield* causes(one.error, depth + 1);
}

const isOfLogin = (error: ClientError): boolean =>
  error instanceof SealwatchError || error.name === 'KafkaJSSASLAuthenticationError' || isOfTls(error);

const isOfTls = ({ message }: Error): boolean =>
  /self.signed certificate|unable to (verify|get)|certificate has expired|altnames|wrong version number/i.test(
    message,
  );

/** Its message, and what is inside it: 'Topic creation errors' alone helps nobody. */
function said(error: unknown): string {
  const all = [...causes(error as ClientError)].map(({ message }) => message);
  return [...new Set(all)].slice(0, 3).join(': ') || String(error);
}

/** An error that a user can mend, whatever was thrown. */
export function kafkaError(error: unknown, brokers: readonly string[]): SealwatchError {
  // A file that holds a login and is written anew just then: it passes, whoever waits for Kafka waits for it as well.
  if (error instanceof SealwatchError)
    return error.code.startsWith('KAFKA_')
      ? error
      : new SealwatchError(
          'KAFKA_REFUSED',
          `no login to Kafka at ${brokers.join(', ')}: ${error.message}`,
          error.advice,
          { cause: error },
        );
  const message = said(error);
  if (remedyOf(error) === 'mend')
    return new SealwatchError(
      'KAFKA_REFUSED',
      `Kafka at ${brokers.join(', ')} refuses: ${message}`,
      'Check kafka.tls, kafka.sasl and the ACLs of docs/operating/kafka.md; `sealwatch doctor` tries each of them.',
      { cause: error },
    );
  return new SealwatchError(
    'KAFKA_UNREACHABLE',
    `no broker of ${brokers.join(', ')} answers as it should: ${message}`,
    'Check kafka.brokers, the network and the brokers; nothing is lost, sealwatch goes on when Kafka does.',
    { cause: error },
  );
}

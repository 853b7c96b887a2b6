// What is used from inside kafkajs 2.2.4, in types of our own: it publishes none for its clusters and brokers (decision 0034).

/** A request and how its answer is read, as kafkajs's connections take them. */
export interface Protocol<T> {
  request: {
    apiKey: number;
    apiVersion: number;
    apiName: string;
    /** `buf` is what kafkajs looks at to know its own Encoder; it copies `buffer`. */
    encode(): Promise<{ buf: Buffer; buffer: Buffer }>;
  };
  response: { decode(payload: Buffer): Promise<unknown>; parse(decoded: unknown): Promise<T> };
  requestTimeout?: number;
  logResponseError?: boolean;
}

export interface Broker {
  readonly nodeId: number;
  readonly connectionPool: {
    send<T>(request: Protocol<T>): Promise<T>;
    /** Opens it when it is not open. */
    getConnectionByRequest(request: Protocol<unknown>): Promise<unknown>;
  };
  initProducerId(options: {
    transactionTimeout: number;
  }): Promise<{ producerId: string; producerEpoch: number }>;
  listOffsets(options: {
    isolationLevel: number;
    topics: { topic: string; partitions: { partition: number; timestamp: number }[] }[];
  }): Promise<{ responses: { topic: string; partitions: { partition: number; offset: string }[] }[] }>;
  deleteRecords(options: {
    topics: { topic: string; partitions: { partition: number; offset: string }[] }[];
  }): Promise<unknown>;
  /** Generation -1 and no member: a group that nobody is in. */
  offsetCommit(options: {
    groupId: string;
    groupGenerationId: number;
    memberId: string;
    topics: { topic: string; partitions: { partition: number; offset: string }[] }[];
  }): Promise<unknown>;
  offsetFetch(options: {
    groupId: string;
    topics: { topic: string; partitions: { partition: number }[] }[];
  }): Promise<{ responses: { partitions: { partition: number; offset: string }[] }[] }>;
}

export interface Cluster {
  connect(): Promise<void>;
  disconnect(): Promise<void>;
  refreshMetadata(): Promise<void>;
  refreshMetadataIfNecessary(): Promise<void>;
  addMultipleTargetTopics(topics: readonly string[]): Promise<void>;
  findTopicPartitionMetadata(topic: string): { partitionId: number; leader: number }[];
  findBroker(which: { nodeId: number }): Promise<Broker>;
  findControllerBroker(): Promise<Broker>;
  findGroupCoordinator(which: { groupId: string }): Promise<Broker>;
}

/** Kafka's own number of a request is chosen by kafkajs; only the newest form of Fetch that it has is used. */
export interface Requests {
  Fetch: { protocol(version: { version: number }): (options: FetchOptions) => Protocol<unknown> };
}

export interface FetchOptions {
  maxWaitTime: number;
  minBytes: number;
  maxBytes: number;
  isolationLevel: number;
  topics: { topic: string; partitions: { partition: number; fetchOffset: string; maxBytes: number }[] }[];
}

/** What is used of `kafka.consumer()`. */
export interface Member {
  readonly events: Record<
    'HEARTBEAT' | 'GROUP_JOIN' | 'REBALANCING' | 'CRASH' | 'DISCONNECT' | 'REQUEST',
    string
  >;
  connect(): Promise<void>;
  disconnect(): Promise<void>;
  subscribe(options: { topic: string; fromBeginning: boolean }): Promise<void>;
  run(options: { autoCommit: boolean; eachBatch(): Promise<void> }): Promise<void>;
  pause(topics: { topic: string }[]): void;
  on(event: string, listener: (event: { payload: MemberEvent }) => void): void;
}

/** What is used of `kafka.admin()`. */
export interface Admin {
  connect(): Promise<void>;
  disconnect(): Promise<void>;
  listTopics(): Promise<string[]>;
  fetchTopicMetadata(options: {
    topics: string[];
  }): Promise<{ topics: { name: string; partitions: { replicas: number[] }[] }[] }>;
  describeConfigs(options: {
    includeSynonyms: boolean;
    resources: { type: number; name: string }[];
  }): Promise<{
    resources: { resourceName: string; configEntries: { configName: string; configValue: string }[] }[];
  }>;
  createTopics(options: {
    waitForLeaders: boolean;
    timeout: number;
    topics: {
      topic: string;
      numPartitions: number;
      replicationFactor: number;
      configEntries: { name: string; value: string }[];
    }[];
  }): Promise<boolean>;
}

/** The payloads of the events above, each with its own fields. */
export interface MemberEvent {
  memberAssignment?: Record<string, number[]>;
  apiName?: string;
  /** Ms; when a request was sent. */
  sentAt?: number;
  /** kafkajs begins again by itself. */
  restart?: boolean;
  error?: unknown;
}

/** Error of kafkajs; `type` is the broker's name of the fault. */
export interface ClientError extends Error {
  type?: string;
  cause?: unknown;
  /** Of single topics. */
  errors?: ClientError[];
  /** Of single partitions. */
  partitions?: { error?: ClientError }[];
}

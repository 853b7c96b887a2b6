// The one class and the one table inside kafkajs that its types leave out.

declare module 'kafkajs/src/cluster/index.js' {
  const Cluster: new (options: object) => import('./client/inside.ts').Cluster;
  export = Cluster;
}

declare module 'kafkajs/src/protocol/requests/index.js' {
  const requests: { requests: import('./client/inside.ts').Requests };
  export = requests;
}

declare module 'kafkajs/src/network/socketFactory.js' {
  const socketFactory: () => object;
  export = socketFactory;
}

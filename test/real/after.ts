// Runs around all tests with real servers: what they have started for all of them ends with them.

import { isElasticsearchRunning, stopElasticsearch } from './elasticsearch.ts';

export function setup(): () => Promise<void> {
  const ranBefore = isElasticsearchRunning();
  return async () => {
    if (!ranBefore && isElasticsearchRunning()) await stopElasticsearch();
  };
}

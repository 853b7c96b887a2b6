// All scenes of auth methods in the order in which they are played: some use the mounts of earlier ones.

import { certPerson, people } from './people.ts';
import type { Scene, Stage } from './stage.ts';
import { tokens } from './tokens.ts';
import { workloads } from './workloads.ts';

export const authScenes = (stage: Stage): Scene[] => [
  ...people(stage),
  ...workloads(stage),
  certPerson(stage),
  ...tokens(stage),
];

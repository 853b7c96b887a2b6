// Every behaviour, by hand, so that one can read which there are.

import type { Behaviour } from './behaviour.ts';
import { canary } from './canary.ts';
import { dormantIdentity } from './dormant-identity.ts';
import { firstAccess } from './first-access.ts';
import { leaseRate } from './lease-rate.ts';
import { leaseLifetime, tokenLifetime } from './lifetime.ts';
import { newIdentity } from './new-identity.ts';
import { newNetwork, newNetworkOfPerson } from './new-network.ts';
import { peerOutlier } from './peer-outlier.ts';
import { probeThenHit } from './probe-then-hit.ts';
import { renewalChain } from './renewal-chain.ts';
import { rotationOverdue } from './rotation-overdue.ts';
import { secretId } from './secret-id.ts';
import { secretSweep } from './secret-sweep.ts';
import { slowCollection } from './slow-collection.ts';
import { standingToken } from './standing-token.ts';
import { twoPlaces } from './two-places.ts';
import { unusualHour } from './unusual-hour.ts';
import { volumeDrift } from './volume-drift.ts';

export const allBehaviours: readonly Behaviour[] = [
  canary,
  dormantIdentity,
  firstAccess,
  newIdentity,
  newNetwork,
  newNetworkOfPerson,
  probeThenHit,
  secretSweep,
  slowCollection,
  unusualHour,
  volumeDrift,
  leaseRate,
  peerOutlier,
  rotationOverdue,
  secretId,
  twoPlaces,
  leaseLifetime,
  renewalChain,
  standingToken,
  tokenLifetime,
];

import { randomBytes } from 'node:crypto';

/**
 * The id of this process among the replicas. It is new at every start, so that a process never mistakes an earlier
 * lease for its own.
 */
export class ReplicaIdentity {
  readonly id: string;

  constructor(id = `r_${randomBytes(6).toString('hex')}`) {
    this.id = id;
  }
}

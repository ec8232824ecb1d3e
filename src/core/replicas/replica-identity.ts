import { randomBytes } from 'node:crypto';

/** The name of this process among the replicas: new at every start, so that an old lease is never taken for its own. */
export class ReplicaIdentity {
  readonly id: string;

  constructor(id = `r_${randomBytes(6).toString('hex')}`) {
    this.id = id;
  }
}

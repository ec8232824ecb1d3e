import type { CredentialStore } from '../../../core/store/index.js';
import { read, write, type Rows } from './row.js';

export const CREDENTIAL_ROWS: Rows<CredentialStore> = {
  addToken: write(({ credentials, now }, ...all) => credentials.addToken(now, ...all)),
  findToken: read(({ credentials }, sha256) => credentials.findToken(sha256)),
  listTokens: read(({ credentials }, query) => credentials.listTokens(query)),
  listExpiringTokens: read(({ credentials, now }, ...all) => credentials.listExpiringTokens(now, ...all)),
  hasToken: read(({ credentials, now }, ...all) => credentials.hasToken(now, ...all)),
  removeToken: write(({ credentials, now }, ...all) => credentials.removeToken(now, ...all)),
  addSignIn: write(({ signIns, now }, ...all) => signIns.add(now, ...all)),
  findSignIn: read(({ signIns }, id) => signIns.find(id)),
  leaseSignIn: write(({ signIns, now }, ...all) => signIns.lease(now, ...all)),
  renewSignIn: write(({ signIns }, signIn) => signIns.renew(signIn)),
  removeSignIns: write(({ signIns, now }, ...all) => signIns.remove(now, ...all)),
};

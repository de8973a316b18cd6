import { v5, validate } from 'uuid';

/** Fixed for ever: with another namespace every workspace whose host key is no uuid would get another id. */
const NAMESPACE = '7b0c3f0e-6d7b-5c53-9a6e-2f7d1f1c9b1e';

/** Our id of a workspace: the host's key where that is a uuid (in lower case), else a uuidv5 of it. */
export const workspaceId = (hostKey: string): string =>
  validate(hostKey) ? hostKey.toLowerCase() : v5(hostKey, NAMESPACE);

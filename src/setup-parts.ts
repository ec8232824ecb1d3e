/** The parts of the gateway that `openclaw setup` needs: settings, providers and their models. */
export { findLocalServers, type LocalServer } from './agents/models/local-servers.js';
export { StatusError } from './agents/models/get-json.js';
export { listModels, type ListedModel } from './agents/models/model-lists.js';
export { TRIAL_QUESTION, tryModel, type ModelTrial } from './agents/models/model-trial.js';
export {
  addUsualKeys,
  completeProvider,
  KNOWN_PROVIDERS,
  keyVariableOf,
  type Provider,
} from './agents/pi/providers.js';
export { BASE_URL } from './protocol/providers.js';
export { isLoopbackHost } from './http/addresses.js';
export { loadSettings } from './settings.js';

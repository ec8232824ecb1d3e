/** Which channels are connected now, for `/health`. */
export abstract class ConnectedChannels {
  /** Names in alphabetical order, each once. */
  abstract list(): readonly string[];
}

/** Lists the connected channels, for `/health`. */
export abstract class ConnectedChannels {
  /** Returns names in alphabetical order, each once. */
  abstract list(): readonly string[];
}

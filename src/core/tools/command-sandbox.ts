/** Where the commands of tools run. */
export abstract class CommandSandbox {
  /** Returns whether commands can run. A negative result may be a minute old. */
  abstract isReady(): Promise<boolean>;
}

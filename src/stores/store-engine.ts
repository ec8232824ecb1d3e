import type { Type } from '@nestjs/common';
import type { Json, StoreCopy } from '../core/store/index.js';

/** The state of a store that is examined without being opened. */
export interface StoreExamination {
  /** In words for the operator. */
  readonly says: string;
  /** The process that has the store open. */
  readonly holder: number | undefined;
  /** The files or folders that a gateway must be able to write. */
  readonly writes: readonly string[];
  /** The settings that were changed at run time, as JSON by key. */
  readonly settings: Readonly<Record<string, Json>>;
  readonly jobs: StoredJobs;
  readonly movedChats: readonly MovedChatOf[];
}

/** A chat of a channel whose platform has given it a new ID. */
export interface MovedChatOf {
  readonly channel: string;
  readonly from: string;
  readonly to: string;
}

/** The jobs of the cron scheduler in a store that is examined. */
export interface StoredJobs {
  readonly count: number;
  /** The latest due time of any job or run, in Unix milliseconds. It is in the past, unless a clock was wrong. */
  readonly lastDue?: number | undefined;
}

export const NO_JOBS: StoredJobs = { count: 0 };

/** The numbers of deliveries under way in a restored copy, which are not sent again. */
export interface SettledCopy {
  /** Messages that were not finished. */
  readonly messages: number;
  /** Messages of platforms that were not accepted yet. */
  readonly inbox: number;
  /** Notes that are dead letters now. */
  readonly notes: number;
  /** Sessions with replies that were not confirmed as delivered. */
  readonly sessions: number;
}

/** A store after a copy was put in its place. */
export interface RestoredStore {
  /** The path of the store's file. */
  readonly place: string;
  /** The path of the file of before; undefined if there was none. */
  readonly kept: string | undefined;
  readonly settled: SettledCopy;
}

/** A migration of a store from one version of its schema to another. */
export interface StoreMigration {
  readonly from: number;
  readonly to: number;
}

/** An engine of the store: its URLs, for the settings, its module, and the examination of its stores. */
export interface StoreEngine {
  /** The form of the URLs, for messages. */
  readonly form: string;
  /** The forms of URLs with their meaning, for the reference. */
  readonly description: string;
  accepts(url: string): boolean;
  /** Returns the fault of a URL that it accepts, in words for the operator; undefined if it has none. */
  findFault(url: string): string | undefined;
  /**
   * Returns the fault of the place that a URL names, in words for the operator, which `store.allow_network_fs` allows;
   * undefined if it has none.
   */
  findPlaceFault(url: string): string | undefined;
  /** Returns whether the store exists already. */
  isThere(url: string): boolean;
  /** Returns the migration that the next start makes, without opening the store; undefined if it makes none. */
  findMigration(url: string): Promise<StoreMigration | undefined>;
  /** Returns the path of the store's file; undefined if it has none. */
  findPath(url: string): string | undefined;
  /** Loads the Nest module that provides the ports of `core/store`. */
  loadModule(): Promise<Type>;
  /**
   * Examines a store, which a gateway may have open. Writes nothing.
   * @param onTable if given, everything that is stored is read, and it is called before each part
   * @throws Error for the operator
   */
  examine(url: string, onTable?: (table: string, n: number, of: number) => void): Promise<StoreExamination>;
  /**
   * Puts a copy in the place of a store that no gateway has open.
   * @param write writes the copy to the path that it gets
   * @param check throws if the copy is not what was promised
   * @throws Error for the operator
   */
  restore(
    url: string,
    write: (target: string) => Promise<void>,
    check: (copy: StoreCopy) => void,
    now: number,
  ): Promise<RestoredStore>;
}

/** How and when a row of the queue has ended. */
export interface Ended {
  /** A state of the API: `cancelled`, `stop`; `running` for a message that does not wait any more. */
  readonly state: string;
  /** Unix milliseconds. */
  readonly at: number;
}

/** A row that stays where it is after its end, with what became of it. */
export interface MayEnd {
  readonly ended?: Ended;
}

/** The fields of a waiting message that depend on the others of its conversation. */
export interface WaitingRow extends MayEnd {
  readonly message_ref: string;
  readonly session_id: string;
  /** The number of messages before it. */
  readonly position: number;
  readonly running_ref?: string;
}

/** Returns a row with its end. The time of the first end stays: a message that ran has ended to wait before it has ended to run. */
export function end<Row extends MayEnd>(row: Row, { state, at }: Ended): Row {
  return { ...row, ended: { state, at: row.ended?.at ?? at } };
}

/**
 * Returns the waiting messages after one message runs or has ended: it does not wait any more, those behind it in its
 * conversation move up, and they wait for it while it runs.
 */
export function follow<Row extends WaitingRow>(rows: readonly Row[], ref: string, ended: Ended): readonly Row[] {
  const gone = rows.find((row) => row.message_ref === ref);
  return rows.map((row) => {
    if (row === gone) return end(row, ended);
    if (row.ended) return row;
    const isBehind = gone?.ended === undefined && row.session_id === gone?.session_id && row.position > gone.position;
    const moved = isBehind ? { ...row, position: row.position - 1 } : row;
    if (ended.state === 'running') return row.session_id === gone?.session_id ? { ...moved, running_ref: ref } : moved;
    if (row.running_ref !== ref) return moved;
    const { running_ref: _, ...rest } = moved;
    return rest as Row;
  });
}

import type { ArgumentsHost } from '@nestjs/common';
import { expect, it } from 'vitest';
import { KeptLogs } from '../testing/kept-logs.js';
import { ProblemFilter } from './problem.filter.js';

/** Passes an error to the filter. Returns what became of the response, and the lines of the log. */
function pass(error: unknown, { errored, isGone = false }: { errored?: Error; isGone?: boolean } = {}) {
  const logs = new KeptLogs();
  let fate = 'none';
  const response = {
    headersSent: false,
    setHeader: () => {},
    writeHead: (status: number) => void (fate = String(status)),
    end: () => {},
    destroy: () => void (fate = 'destroyed'),
  };
  const caller = { principal: { tenant: 'acme', principal: 'ann' } };
  const request = { errored, socket: { destroyed: isGone }, caller };
  const http = { getRequest: () => request, getResponse: () => response };
  const filter = new ProblemFilter(logs);
  // oxlint-disable-next-line promise/no-promise-in-callback -- it is not a promise
  filter.catch(error, { switchToHttp: () => http } as unknown as ArgumentsHost);
  return { fate, lines: logs.lines, fields: logs.fields };
}

it('a peer that leaves in its body or its response is not a failure of the gateway', () => {
  const aborted = Object.assign(new Error('aborted'), { code: 'ECONNRESET' });
  expect(pass(aborted, { errored: aborted })).toMatchObject({ fate: 'destroyed', lines: [] });
  const cut = Object.assign(new Error('Premature close'), { code: 'ERR_STREAM_PREMATURE_CLOSE' });
  expect(pass(cut, { isGone: true })).toMatchObject({ fate: 'destroyed', lines: [] });
});

it('the same errors are failures where the peer is there', () => {
  const reset = Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' });
  expect(pass(reset)).toMatchObject({ fate: '500', lines: ['error a request failed'] });
  const cut = Object.assign(new Error('Premature close'), { code: 'ERR_STREAM_PREMATURE_CLOSE' });
  expect(pass(cut)).toMatchObject({ fate: '500', lines: ['error a request failed'] });
});

it('a failure is logged with the tenant and the principal of its caller', () => {
  expect(pass(new Error('broken')).fields).toEqual([expect.objectContaining({ tenant: 'acme', principal: 'ann' })]);
});

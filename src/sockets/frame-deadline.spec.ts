import { expect, it, vi } from 'vitest';
import { ManualClock } from '../testing/manual-clock.js';
import { FrameDeadline } from './frame-deadline.js';
import type { GatewayWebSocket } from './gateway-websocket.js';

function setup() {
  const clock = new ManualClock();
  const socket = { isMidMessage: true };
  const onMissed = vi.fn<() => void>();
  return { clock, socket, onMissed, deadline: new FrameDeadline(socket as GatewayWebSocket, clock, onMissed) };
}

it('a message must be complete within 30 seconds of its first byte', () => {
  const { clock, deadline, onMissed } = setup();
  deadline.noteBytes();
  clock.advance(20_000);
  deadline.noteBytes();
  clock.advance(9_999);
  expect(onMissed).not.toHaveBeenCalled();
  clock.advance(1);
  expect(onMissed).toHaveBeenCalledOnce();
});

it('the next message has 30 seconds of its own', () => {
  const { clock, socket, deadline, onMissed } = setup();
  deadline.noteBytes();
  clock.advance(20_000);
  socket.isMidMessage = false;
  deadline.noteBytes();
  socket.isMidMessage = true;
  deadline.noteBytes();
  clock.advance(29_999);
  expect(onMissed).not.toHaveBeenCalled();
  clock.advance(1);
  expect(onMissed).toHaveBeenCalledOnce();
});

it('leaves no timer when the connection has ended', () => {
  const { clock, deadline, onMissed } = setup();
  deadline.noteBytes();
  deadline.end();
  expect(clock.pendingTimers).toBe(0);
  clock.advance(30_000);
  expect(onMissed).not.toHaveBeenCalled();
});

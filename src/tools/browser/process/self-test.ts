import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import type { BrowserContext, Page } from 'playwright-core';
import type { Clock } from '../../../core/time/clock.js';
import type { EgressProxy } from './egress-proxy.js';

/** The address of the link under which clouds serve the credentials of their machines. */
const METADATA_HOST = '169.254.169.254';
/** Time for a request that fails at the proxy, in milliseconds. */
const REQUEST_TIMEOUT_MS = 5_000;
/** Time in which a page would have sent its first packets, in milliseconds. */
const GATHER_MS = 300;

/** The part of a browser that is tested. */
export interface TestedBrowser {
  readonly proxy: EgressProxy;
  newContext(): Promise<BrowserContext>;
}

/** Makes the page send packets to a STUN server on a port of this machine, if it can. */
const SEND_PACKETS = (port: number) => `(async () => {
  if (typeof RTCPeerConnection !== 'function') return;
  const peer = new RTCPeerConnection({ iceServers: [{ urls: 'stun:127.0.0.1:${port}' }] });
  peer.createDataChannel('test');
  await peer.setLocalDescription(await peer.createOffer());
  await new Promise((resolve) => setTimeout(resolve, ${GATHER_MS}));
  peer.close();
})()`;

/**
 * Checks that a browser goes through its proxy also to this machine and to 169.254.0.0/16, and that WebRTC sends nothing.
 * @throws Error if it does not
 */
export async function testGuard(running: TestedBrowser, clock: Clock): Promise<void> {
  const context = await running.newContext();
  try {
    const page = await context.newPage();
    await testRequests(running, page);
    await testPackets(page, clock);
  } finally {
    await context.close();
  }
}

async function testRequests({ proxy }: TestedBrowser, page: Page): Promise<void> {
  // A port of this machine that surely listens: a request that does not come as one of a proxy is not noted.
  const targets = [`127.0.0.1:${new URL(proxy.url).port}`, `${METADATA_HOST}:80`];
  const seen = new Set<string>();
  proxy.onTarget = (target) => void seen.add(target);
  try {
    for (const target of targets) {
      await page.goto(`http://${target}/`, { timeout: REQUEST_TIMEOUT_MS, waitUntil: 'commit' }).catch(() => {});
      if (!seen.has(target)) throw new Error(`the browser goes past the egress guard to ${target}; its tools stay off`);
    }
  } finally {
    proxy.onTarget = () => {};
  }
}

async function testPackets(page: Page, clock: Clock): Promise<void> {
  const socket = createSocket('udp4');
  let packets = 0;
  socket.on('message', () => packets++);
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  try {
    await page.goto('about:blank');
    await page.evaluate(SEND_PACKETS(socket.address().port));
    // A packet may still be on its way.
    await clock.sleep(10);
    if (packets > 0) throw new Error('WebRTC of the browser sends packets past the egress guard; its tools stay off');
  } finally {
    socket.close();
  }
}

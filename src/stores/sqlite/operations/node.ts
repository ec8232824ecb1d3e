import type { NodeStore } from '../../../core/store/index.js';
import { read, write, type Rows } from './row.js';

export const NODE_ROWS: Rows<NodeStore> = {
  readGatewayId: read(({ nodes }) => nodes.readGatewayId()),
  addNodePairing: write(({ nodes, now }, ...all) => nodes.addPairing(now, ...all)),
  pairNode: write(({ nodes, now }, device) => nodes.pair(now, device)),
  findNode: read(({ nodes }, nodeId) => nodes.find(nodeId)),
  listNodes: read(({ nodes }, tenant) => nodes.list(tenant)),
  ensureTokenNode: write(({ nodes, now }, ...all) => nodes.ensureTokenNode(now, ...all)),
  updateNode: write(({ nodes, now }, ...all) => nodes.update(now, ...all)),
  revokeNode: write(({ nodes, now }, ...all) => nodes.revoke(now, ...all)),
  useNodeNonce: write(({ nodes }, ...all) => nodes.useNonce(...all)),
  noteNodesSeen: write(({ nodes, now }, nodeIds) => nodes.noteSeen(now, nodeIds)),
  registerNode: write(({ nodes, now }, ...all) => nodes.register(now, ...all)),
  listNodeCommands: read(({ nodes }, nodeId) => nodes.listCommands(nodeId)),
  allowNodeCommand: write(({ nodes, now }, ...all) => nodes.allowCommand(now, ...all)),
  openNodeCall: write(({ nodeTraffic, now }, call) => nodeTraffic.openCall(now, call), { after: 'node.wanted' }),
  findNodeCall: read(({ nodeTraffic }, callId) => nodeTraffic.findCall(callId)),
  markNodeCallSent: write(({ nodeTraffic }, callId) => nodeTraffic.markSent(callId), { after: 'node.sent' }),
  endNodeCall: write(({ nodeTraffic }, ...all) => nodeTraffic.endCall(...all), {
    before: 'node.before_result',
    after: 'node.after_result',
  }),
  addNodeEvent: write(({ nodeTraffic }, event) => nodeTraffic.addEvent(event)),
  settleNodeEvent: write(({ nodeTraffic }, ...all) => nodeTraffic.settleEvent(...all)),
  listUnsettledNodeEvents: read(({ nodeTraffic }, limit) => nodeTraffic.listUnsettled(limit)),
  listNodeEvents: read(({ nodeTraffic }, query) => nodeTraffic.listEvents(query)),
};

import Type from 'typebox';
import { agentSettings } from './agents/agents.settings.js';
import { authSettings } from './auth/auth.settings.js';
import { jwtSettings } from './auth/jwt/jwt.settings.js';
import { oidcSettings } from './auth/oidc/oidc.settings.js';
import { agentListSettings } from './core/agents/agents.settings.js';
import { channelSettings } from './core/channels/channels.settings.js';
import { slackSettings } from './channels/slack/slack.settings.js';
import { telegramSettings } from './channels/telegram/telegram.settings.js';
import { discordSettings } from './channels/discord/discord.settings.js';
import { webchatSettings } from './channels/webchat/webchat.settings.js';
import { whatsappSettings } from './channels/whatsapp/whatsapp.settings.js';
import { defineSettings, type SettingsSection } from './core/config/section.js';
import { cronSettings } from './core/cron/cron.settings.js';
import { housekeepingSettings } from './core/housekeeping/housekeeping.settings.js';
import { limitSettings } from './core/limits/limits.settings.js';
import { tenantSettings } from './core/limits/tenants.settings.js';
import { mediaSettings } from './core/media/media.settings.js';
import { nodeSettings } from './core/nodes/nodes.settings.js';
import { queueSettings } from './core/queue/queue.settings.js';
import { reachSettings } from './core/reach/reach.settings.js';
import { toolSettings } from './core/tools/tools.settings.js';
import { turnSettings } from './core/turns/turns.settings.js';
import { httpSettings } from './http/http.settings.js';
import { storeSettings } from './stores/store.settings.js';
import { tailscaleSettings } from './tailscale/tailscale.settings.js';
import { logSettings } from './telemetry/log.settings.js';
import { telemetrySettings } from './telemetry/telemetry.settings.js';
import { browserSettings } from './tools/browser/browser.settings.js';
import { httpFetchSettings } from './tools/http/http-fetch.settings.js';
import { mcpSettings } from './tools/mcp/mcp.settings.js';
import { sandboxSettings } from './tools/sandbox/sandbox.settings.js';
import { webSocketSettings } from './websocket/websocket.settings.js';

/** Loaded before all other settings, because the modules can declare settings. */
export const moduleSettings = defineSettings({
  modules: Type.Array(Type.String({ minLength: 1 }), {
    default: [],
    description: 'Nest modules of a team to load: paths (relative to the working directory) or package names.',
    'x-restart': true,
    'x-start-only': 'modules are loaded before the store is opened, which holds changes',
  }),
});

/** The settings of all parts of the gateway, in the order of the reference. */
export const SECTIONS = [
  httpSettings,
  webSocketSettings,
  reachSettings,
  tailscaleSettings,
  storeSettings,
  housekeepingSettings,
  authSettings,
  jwtSettings,
  oidcSettings,
  agentListSettings,
  agentSettings,
  turnSettings,
  queueSettings,
  limitSettings,
  tenantSettings,
  channelSettings,
  toolSettings,
  sandboxSettings,
  browserSettings,
  httpFetchSettings,
  mcpSettings,
  nodeSettings,
  mediaSettings,
  cronSettings,
  webchatSettings,
  telegramSettings.section,
  whatsappSettings.section,
  discordSettings.section,
  slackSettings.section,
  moduleSettings,
  logSettings,
  telemetrySettings,
] as const satisfies readonly SettingsSection[];

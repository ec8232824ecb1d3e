// Runs the driver of the pager in a process of its own: `node dist/driver.js`. Its settings come from `config.yaml` and the
// environment: OPENCLAW_DRIVER_GATEWAY_URL, OPENCLAW_DRIVER_TOKEN, OPENCLAW_STORE_URL, OPENCLAW_CHANNELS_PAGER_URL.
import 'reflect-metadata';
import { runDriver } from 'openclaw-gateway-nest/driver';
import { PagerModule } from './pager.module.js';

const driver = await runDriver({ modules: [PagerModule] });
process.once('SIGTERM', () => void driver.stop().then(() => process.exit(0)));

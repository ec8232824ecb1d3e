import { runGateway } from './run-gateway.js';

try {
  await runGateway();
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
}

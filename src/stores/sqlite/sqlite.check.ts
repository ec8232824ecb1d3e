/** The process that checks a database. Its argument is the path, and it prints the damage. */
import { setPriority } from 'node:os';
import { checkDatabase } from './check-database.js';

/** Lowest priority: the gateway and its clients come first. */
setPriority(19);
process.stdout.write(checkDatabase(process.argv[2] ?? '', 'quick_check') ?? '');

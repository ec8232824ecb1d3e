/**
 * The process that reads a whole database. Its arguments are the path, and the path of a copy if one is wanted. It prints
 * the damage, or what the copy is, as JSON.
 */
import { setPriority } from 'node:os';
import { checkDatabase } from './check-database.js';
import { copyDatabase } from './copy-database.js';

/** Lowest priority: the gateway and its clients come first. */
setPriority(19);
const [path = '', target] = process.argv.slice(2);
if (target === undefined) process.stdout.write(checkDatabase(path, 'quick_check') ?? '');
else process.stdout.write(JSON.stringify(copyDatabase(path, target)));

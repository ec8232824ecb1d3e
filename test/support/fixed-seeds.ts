import fc from 'fast-check';

// A run says the same each time. With `LONG` random tests draw other cases in each run, which is how they find something.
if (!process.env['LONG']) fc.configureGlobal({ seed: 1 });

#!/usr/bin/env node
// The build runs when it is imported; this file exists before it, so that installing can link the command.
import '../dist/cli.js';

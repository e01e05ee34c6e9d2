import { SERVER_CERTIFICATES } from '../tls-files.js';
import { ADMIN, type ListenerOptions, type ListenerUser, mechanismsOf, usesTls } from './listeners.js';

const TAKEN_NAMES: readonly string[] = ['CLIENT', 'DIRECT', 'INTERNAL', 'CONTROLLER'];

/** Everything that is wrong with these listeners and users. */
export function* listenerProblems(options: {
  readonly listeners: readonly ListenerOptions[];
  readonly users: readonly ListenerUser[];
}): Generator<string> {
  const names = options.listeners.map(({ name }) => name);
  for (const listener of options.listeners) {
    const { name, protocol, mechanisms = [] } = listener;
    if (!/^[A-Z][A-Z0-9_]*$/.test(name)) yield `listener name "${name}" must be upper case`;
    if (TAKEN_NAMES.includes(name)) yield `listener name "${name}" is taken (${TAKEN_NAMES.join(', ')})`;
    if (names.filter((other) => other === name).length > 1) yield `listener name "${name}" is given twice`;
    if (mechanisms.length > 0 && !protocol.startsWith('SASL_')) {
      yield `listener ${name} has SASL mechanisms, but its protocol is ${protocol}`;
    }
    yield* certificateProblems(listener);
    yield* tokenProblems(listener);
  }
  for (const { username, password } of options.users) {
    // These end up in files and arguments whose quoting differs from one to the next.
    if (!/^[\w.-]+$/.test(username)) yield `user name "${username}" may only hold letters, digits, _ . -`;
    if (!/^[\w.-]+$/.test(password)) yield `the password of ${username} may only hold letters, digits, _ . -`;
    if (username === ADMIN) yield `user name "${username}" is taken`;
  }
}

function* certificateProblems(listener: ListenerOptions): Generator<string> {
  const { name, protocol, clientCertificate = 'none', serverCertificate = 'valid' } = listener;
  if (!SERVER_CERTIFICATES.includes(serverCertificate)) {
    const known = SERVER_CERTIFICATES.join(', ');
    yield `listener ${name} has serverCertificate "${serverCertificate}", but that can be ${known}`;
  }
  if (usesTls(listener)) return;
  if (clientCertificate === 'required') {
    yield `listener ${name} asks for client certificates, but its protocol is ${protocol}`;
  }
  if (serverCertificate !== 'valid') {
    yield `listener ${name} has a serverCertificate, but its protocol is ${protocol}`;
  }
}

function* tokenProblems(listener: ListenerOptions): Generator<string> {
  const { name, tokens = 'unsecured' } = listener;
  if (!['unsecured', 'signed'].includes(tokens)) {
    yield `listener ${name} has tokens "${tokens}", but that can be unsecured or signed`;
  }
  if (tokens === 'signed' && !mechanismsOf(listener).includes('OAUTHBEARER')) {
    yield `listener ${name} has signed tokens, but not the mechanism OAUTHBEARER`;
  }
}

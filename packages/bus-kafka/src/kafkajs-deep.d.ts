/** The parts of kafkajs 2.2 that it has no types for. See `protocol.ts` for why they are used. */
declare module 'kafkajs/src/protocol/requests/index.js' {
  interface RequestDefinition {
    readonly versions: readonly string[];
    protocol(version: { readonly version: number }): (args: object) => unknown;
  }
  const protocol: { readonly requests: Readonly<Record<string, RequestDefinition>> };
  export = protocol;
}

declare module 'kafkajs/src/protocol/requests/apiKeys.js' {
  const apiKeys: Readonly<Record<string, number>>;
  export = apiKeys;
}

declare module 'kafkajs/src/protocol/error.js' {
  const errors: {
    createErrorFromCode(code: number): Error & { readonly type: string; readonly retriable: boolean };
  };
  export = errors;
}

declare module 'kafkajs/src/broker/saslAuthenticator/*.js' {
  import type { AuthenticationProviderArgs, Authenticator } from 'kafkajs';

  const provider: (sasl: object) => (login: AuthenticationProviderArgs) => Authenticator;
  export = provider;
}

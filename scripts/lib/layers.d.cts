/** Core's layers, from the lowest up. */
export const CORE_LAYERS: readonly { readonly name: string; readonly files: readonly string[] }[];

/** What a bus may import besides core, by the folder of its package. */
export const BUS_CLIENTS: Readonly<Record<string, string>>;

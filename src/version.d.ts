/** Set by scripts/build; there is neither when op-dbus runs from source. */
declare const __VERSION__: string;
declare const __COMMIT__: string;

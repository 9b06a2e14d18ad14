# SPDX-License-Identifier: Apache-2.0
# bash completion for twoleg. It asks `twoleg help`, so that it knows what the program knows.
_twoleg()
{
    local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]}
    local program=${COMP_WORDS[0]} known word words= i
    COMPREPLY=()
    known=$("$program" help 2>/dev/null | sed -n 's/^  \([a-z][a-z -]*[a-z]\).*/\1/p')
    for ((i = 1; i < COMP_CWORD; i++)); do # what stands there of a command's words
        word=${words:+$words }${COMP_WORDS[i]}
        grep -qE -- "^$word( |\$)" <<<"$known" 2>/dev/null && words=$word
    done
    if [[ $current == -* ]]; then
        COMPREPLY=($(compgen -W "$("$program" help $words 2>/dev/null |
            sed -n 's/^  \(--[a-z-]*\).*/\1/p')" -- "$current"))
    elif grep -q "^$words ." <<<"$known" || [ -z "$words" ]; then
        COMPREPLY=($(compgen -W "$(sed -n "s/^${words:+$words }\([a-z-]*\).*/\1/p" <<<"$known" |
            sort -u)" -- "$current"))
    fi
    case $previous in
    --config | --data | --client-secret-file | --secret-file | backup | restore | import)
        COMPREPLY=($(compgen -f -- "$current")) ;;
    --budget-mode)
        COMPREPLY=($(compgen -W "enforce observe default" -- "$current")) ;;
    --token-format)
        COMPREPLY=($(compgen -W "jwt sealed reference" -- "$current")) ;;
    esac
}
complete -o filenames -F _twoleg twoleg

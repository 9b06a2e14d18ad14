# SPDX-License-Identifier: Apache-2.0
# bash completion for twoleg. It asks `twoleg help`, so that it knows what the program knows. Words
# that were typed are compared as they are: in an expression they would mean more, even a command.

# What follows $1 in the lines that begin with it.
_twoleg_after()
{
    local line
    while IFS= read -r line; do
        [[ $line != "$1"* ]] || printf '%s\n' "${line#"$1"}"
    done
}

# What may stand for an argument, as the help has it: FILE|-, jwt|sealed|reference, [ALGORITHM].
_twoleg_values()
{
    local program=$1 previous=$2 wanted=$3 current=$4 each
    wanted=${wanted//[][]/}
    for each in ${wanted//|/ }; do
        case $each in
        FILE | OUT) compgen -f -- "$current" ;;
        DIR) compgen -d -- "$current" ;;
        GRANTS) compgen -W "client_credentials password refresh_token" -- "$current" ;;
        ALGORITHM)
            each=$("$program" help api create 2>/dev/null | sed -n 's/^  --algorithm //p')
            compgen -W "${each//|/ }" -- "$current" ;;
        NAME | NAMES)
            [[ $previous != *dialect* ]] ||
                compgen -W "$("$program" dialect list 2>/dev/null | sed 's/ .*//')" -- "$current" ;;
        COMMAND)
            compgen -W "$("$program" help | sed -n 's/^  \([a-z-]*\).*/\1/p')" -- "$current" ;;
        *:*) ;;
        *[a-z0-9]*) compgen -W "$each" -- "$current" ;;
        esac
    done
}

_twoleg()
{
    local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]}
    local program=${COMP_WORDS[0]} known word words= wanted= about i
    COMPREPLY=()
    known=$("$program" help 2>/dev/null | sed -n 's/^  \([a-z][a-z -]*[a-z]\).*/\1/p')
    known=$'\n'$known$'\n'
    for ((i = 1; i < COMP_CWORD; i++)); do # what stands there of a command's words
        word=${words:+$words }${COMP_WORDS[i]}
        [[ $known != *$'\n'"$word"[$' \n']* ]] || words=$word
    done
    [[ $current == = ]] && current= # bash parts --option=value in three
    [[ $previous == = ]] && previous=${COMP_WORDS[COMP_CWORD - 2]}
    about=$("$program" help ${words:-serve} 2>/dev/null)
    if [[ $previous == --* ]]; then
        wanted=$(_twoleg_after "  $previous " <<<"$about")
        wanted=${wanted%%[$' \n']*}
    fi
    if [ -z "$wanted" ] && [[ $current == -* ]]; then
        mapfile -t COMPREPLY < <(compgen -W "$(sed -n 's/^  \(--[a-z-]*\).*/\1/p' <<<"$about")" \
            -- "$current")
        return
    elif [ -z "$wanted" ] && [[ -z $words || $known == *$'\n'"$words "* ]]; then
        mapfile -t COMPREPLY < <(compgen -W "$(_twoleg_after "${words:+$words }" <<<"$known" |
            sed 's/ .*//' | sort -u)" -- "$current")
        return
    elif [ -z "$wanted" ]; then
        previous=$words
        wanted=$(_twoleg_after "usage: twoleg $words " <<<"$about" |
            sed -n 's/^\([^ ]\{1,\}\) \[OPTIONS\]$/\1/p')
    fi
    mapfile -t COMPREPLY < <(_twoleg_values "$program" "$previous" "$wanted" "$current")
}
complete -o filenames -F _twoleg twoleg

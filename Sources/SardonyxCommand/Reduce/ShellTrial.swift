import Foundation
import Glibc
import Sardonyx
import Synchronization

/// Runs a shell command on a model file, in a process group of its own.
struct ShellTrial {
    enum Outcome: Equatable {
        /// It exited with 0.
        case holds
        case fails(code: Int32)
        case timedOut
        case interrupted
    }

    /// What the shell gives for a command that it cannot find or run.
    static let cannotRun: ClosedRange<Int32> = 126...127

    /// `{}` stands for the path, which is also in the environment as MODEL.
    let command: String
    let timeout: Duration
    /// Whether what the command prints goes to standard error.
    let showsOutput: Bool
    let interrupt: InterruptSignal

    /// - Throws: `input` when no process can be made.
    func run(on path: String) throws(SardonyxError) -> Outcome {
        let process = try start(path)
        let end = ContinuousClock.now + timeout
        var pause: UInt32 = 500
        var status: Int32 = 0
        while true {
            let done = waitpid(process, &status, WNOHANG)
            if done == process { break }
            if done < 0, errno != EINTR {
                throw SardonyxError(.input, "--while", "lost the command", got: String(cString: strerror(errno)))
            }
            let isLate = ContinuousClock.now >= end
            if isLate || interrupt.isSet {
                kill(-process, SIGKILL)
                while waitpid(process, &status, 0) < 0, errno == EINTR {}
                return isLate ? .timedOut : .interrupted
            }
            usleep(pause)
            pause = min(pause * 2, 20_000)
        }
        // What it left running in the background.
        kill(-process, SIGKILL)
        if interrupt.isSet { return .interrupted }
        let signal = status & 0x7f
        let code = signal == 0 ? status >> 8 & 0xff : 128 + signal
        return code == 0 ? .holds : .fails(code: code)
    }

    private func start(_ path: String) throws(SardonyxError) -> pid_t {
        var environment = ProcessInfo.processInfo.environment
        environment["MODEL"] = path
        let text = command.replacingOccurrences(of: "{}", with: Self.quoted(path))
        var arguments = Self.pointers(["/bin/sh", "-c", text])
        var variables = Self.pointers(environment.map { "\($0.key)=\($0.value)" })
        defer { for pointer in arguments + variables { free(pointer) } }

        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0)
        if showsOutput {
            posix_spawn_file_actions_adddup2(&actions, STDERR_FILENO, STDOUT_FILENO)
        } else {
            posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0)
            posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0)
        }
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        // Signals that are ignored here would be ignored there, too.
        var defaults = sigset_t()
        sigemptyset(&defaults)
        for signal in InterruptSignal.signals { sigaddset(&defaults, signal) }
        posix_spawnattr_setsigdefault(&attributes, &defaults)
        posix_spawnattr_setpgroup(&attributes, 0)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF))
        var process: pid_t = 0
        let code = posix_spawn(&process, "/bin/sh", &actions, &attributes, &arguments, &variables)
        guard code == 0 else {
            throw SardonyxError(.input, "--while", "cannot start /bin/sh", got: String(cString: strerror(code)))
        }
        return process
    }

    /// C strings, with the null pointer that ends a list; the caller frees them.
    private static func pointers(_ texts: [String]) -> [UnsafeMutablePointer<CChar>?] {
        var pointers: [UnsafeMutablePointer<CChar>?] = []
        for text in texts { pointers.append(strdup(text)) }
        return pointers + [nil]
    }

    /// The path as one word of the shell.
    private static func quoted(_ path: String) -> String {
        let isPlain = path.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "/"), UInt8(ascii: "."), UInt8(ascii: "-"),
                UInt8(ascii: "_"):
                true
            default: false
            }
        }
        return isPlain ? path : "'" + path.replacingOccurrences(of: "'", with: "'\\''") + "'"
    }
}

/// Whether somebody asked the process to stop.
///
/// Sources are made once, before anything else asks.
final class InterruptSignal: @unchecked Sendable {
    static let signals = [SIGINT, SIGTERM, SIGHUP]

    private let flag = Atomic(false)
    private var sources: [any DispatchSourceSignal] = []

    var isSet: Bool { flag.load(ordering: .relaxed) }

    /// From now on these signals set the flag and do nothing else.
    func catchSignals() {
        for number in Self.signals {
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
            source.setEventHandler { [weak self] in self?.flag.store(true, ordering: .relaxed) }
            source.resume()
            sources.append(source)
        }
    }
}
